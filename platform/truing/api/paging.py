"""Lists are read page by page: `?after=KEY&limit=N`. The last page costs what the first does."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from truing.errors import Invalid
from truing.http import key_of

LIMIT = 50
MOST = 500
PARAMETERS = [
    OpenApiParameter("after", int, description="The key of the last item of the page before."),
    OpenApiParameter("limit", int, description=f"Items a page: {LIMIT}, at most {MOST}."),
]


class KeyPagination(BasePagination):
    """Pages in the order of the primary key, or against it."""

    newest_first = False
    next: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        after = _number(request, "after", None)
        limit = min(_number(request, "limit", LIMIT) or LIMIT, MOST)
        if after is not None:
            key = "pk__lt" if self.newest_first else "pk__gt"
            queryset = queryset.filter(**{key: after})
        order = "-pk" if self.newest_first else "pk"
        # One more than wanted says whether there is a next page, without counting.
        items = list(queryset.order_by(order)[: limit + 1])
        if len(items) > limit:
            items = items[:limit]
            address = request.build_absolute_uri()
            self.next = replace_query_param(address, "after", str(items[-1].pk))
        return items

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": "string", "format": "uri", "nullable": True},
            },
        }


def paged(
    request: Request,
    queryset: QuerySet[Any],
    serializer: type[serializers.BaseSerializer[Any]],
    *,
    newest_first: bool = False,
) -> Response:
    """One page of these rows, as the request asks for it."""
    pagination = KeyPagination()
    pagination.newest_first = newest_first
    items = pagination.paginate_queryset(queryset, request)
    return pagination.get_paginated_response(
        serializer(items, many=True, context={"request": request}).data
    )


# The document wants one class for one name.
_pages: dict[str, serializers.Serializer[Any]] = {}


def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> serializers.Serializer[Any]:
    """What a page of these looks like, for the OpenAPI document."""
    name = f"{serializer.__name__.removesuffix('Serializer')}Page"
    if name not in _pages:
        _pages[name] = inline_serializer(
            name=name,
            fields={
                "results": serializer(many=True),
                "next": serializers.URLField(allow_null=True),
            },
        )
    return _pages[name]


def lists(
    serializer: type[serializers.BaseSerializer[Any]],
    *,
    parameters: Sequence[OpenApiParameter] = (),
    methods: Sequence[str] = ("GET",),
    **about: Any,
) -> Any:
    """Document a view that answers with `paged`. Stands above `@api_view`."""
    return extend_schema(
        methods=list(methods),
        request=None,
        responses=page_of(serializer),
        parameters=[*PARAMETERS, *parameters],
        **about,
    )


def _number(request: Request, name: str, default: int | None) -> int | None:
    value = request.query_params.get(name, "")
    if not value:
        return default
    number = key_of(value)
    if number is None:
        raise Invalid(f"“{name}” must be a whole number, not “{value[:40]}”.")
    return number
