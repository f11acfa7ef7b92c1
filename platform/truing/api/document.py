"""What the API can do: the OpenAPI document, and the same as a page for people."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator

from truing.api.operation import subject_of
from truing.pages import render

METHODS = ("get", "post", "put", "patch", "delete")


@require_GET
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document. It holds nothing that is not in the source, so anybody may read it."""
    return JsonResponse(whole(), json_dumps_params={"ensure_ascii": False})


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """All operations by subject."""
    return render(request, "truing/api.html", {"subjects": _subjects()})


@cache
def whole() -> dict[str, Any]:
    """The document; it changes only with the code, so it is made once a process."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


def described(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """One operation as the page shows it."""
    return {
        "method": method.upper(),
        "path": path,
        "text": operation.get("description", ""),
        "parameters": [
            {"name": item["name"], "text": item.get("description", "")}
            for item in operation.get("parameters", [])
            if item["in"] == "query"
        ],
        "fields": _fields(operation.get("requestBody", {})),
    }


@cache
def _subjects() -> list[dict[str, Any]]:
    subjects: dict[str, list[dict[str, Any]]] = {}
    for path, operations in whole()["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = described(path, method, operations[method])
                subjects.setdefault(subject_of(path), []).append(operation)
    return [{"name": name, "operations": found} for name, found in sorted(subjects.items())]


def _fields(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The names in a body, with what each may be."""
    for content in body.get("content", {}).values():
        shape = _resolved(content.get("schema", {}))
        required = shape.get("required", [])
        return [
            {"name": name, "type": _type(field), "required": name in required}
            for name, field in shape.get("properties", {}).items()
        ]
    return []


def _type(field: dict[str, Any]) -> str:
    shape = _resolved(field)
    if "enum" in shape:
        return ", ".join(str(choice) for choice in shape["enum"])
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}))}"
    return str(shape.get("type", "any value"))


def _resolved(shape: dict[str, Any]) -> dict[str, Any]:
    if len(shape.get("allOf", [])) == 1:
        shape = shape["allOf"][0]
    if reference := shape.get("$ref"):
        name = reference.removeprefix("#/components/schemas/")
        found: dict[str, Any] = whole()["components"]["schemas"][name]
        return found
    return shape
