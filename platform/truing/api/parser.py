"""Bodies are JSON of bounded size, with text and numbers that the database can keep."""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

# Looked for in the raw text, which is fast; a body that has none needs no second look.
ESCAPED = re.compile(r"\\u(0000|[dD][89a-fA-F])")

# What a column of whole numbers holds; float() fails on much larger ones.
LARGEST = 2**63 - 1


class TooLarge(APIException):
    status_code = 413
    default_detail = "This is too large."


class TextParser(BaseParser):
    """Reads JSON. PostgreSQL keeps neither NUL, nor half a surrogate pair, nor infinity."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise TooLarge
        try:
            text = raw.decode()
            parsed = json.loads(
                text, parse_constant=_finite, parse_float=_finite, parse_int=_countable
            )
            if ESCAPED.search(text):
                _check(parsed)
        except RecursionError:
            raise ParseError("it is nested too deeply.") from None
        except ValueError as problem:
            raise ParseError(f"{problem}.") from None
        return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


def _countable(text: str) -> int:
    number = int(text)
    if abs(number) > LARGEST:
        raise ValueError(f"{text[:20]}... is too large a number")
    return number


def _check(parsed: Any) -> None:
    text = json.dumps(parsed, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character") from None
    # json writes a NUL like this; after an odd number of backslashes it is something else.
    if re.search(r"(?<!\\)(\\\\)*\\u0000", text):
        raise ValueError("NUL is no character of a text")
