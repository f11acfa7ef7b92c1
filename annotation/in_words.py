"""An answer in a few words, its labels and levels in the language of whoever reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.models import Queue
from annotation.task_types.base import Answer
from annotation.task_types.scales import unchanged_names
from truing.translated import translated

WRITTEN = {"text", "reason"}  # by the person who answered


def in_words(queue: Queue, answer: Answer, shown: Sequence[str]) -> str:
    """What the task type says of it; what a curator wrote stays as it is."""
    own = unchanged_names(queue.type_options).difference(shown)
    said = _said(answer, {name: translated(name) for name in own})
    return queue.task_type.in_words(said, shown)


def _said(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            words.get(key, key): one if key in WRITTEN else _said(one, words)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_said(one, words) for one in value]
    return words.get(value, value) if isinstance(value, str) else value
