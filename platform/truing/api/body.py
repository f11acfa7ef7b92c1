"""What a program sends: JSON of a known shape, where a name that is not known is a mistake."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.settings import api_settings


class Body(serializers.Serializer[Any]):
    """The shape of a request's body. Unknown names are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                names = ", ".join(self.fields) or "none"
                sentence = f"There is no “{unknown[0]}” here. There are: {names}."
                raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [sentence]})
        return super().to_internal_value(data)


def read(request: Request, shape: type[Body]) -> dict[str, Any]:
    """The body's values, or a refusal with one sentence."""
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
