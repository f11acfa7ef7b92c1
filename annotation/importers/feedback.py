import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from annotation.importers.base import Found, Importer, lines_of


class Feedback(Importer):
    """Feedback JSONL, our own form: one task a line."""

    label = "Feedback JSONL"
    example_file = (
        b'{"id": "1", "prompt": [{"role": "user", "content": "Why?"}], "task_type": "pairwise",'
        b' "outputs": [{"id": "a", "text": "So."}, {"id": "b", "text": ""}],'
        b' "annotations": [{"annotator": "w1", "answer": {"tiers": [["a"], ["b"]]}}]}\n'
    )

    def records(self, file: BinaryIO) -> Iterator[Found]:
        for number, line, problem in lines_of(file):
            if line is None:
                yield Found(number, problem=problem)
                continue
            try:
                record = json.loads(
                    line.decode(),
                    parse_constant=_no_constant,
                    object_pairs_hook=_object_without_twins,
                )
            except UnicodeDecodeError:
                yield Found(number, problem="The line is not UTF-8 text.")
            except _BadJson as bad:
                yield Found(number, problem=str(bad))
            except (ValueError, RecursionError):
                yield Found(number, problem="The line is not JSON.")
            else:
                if isinstance(record, dict):
                    yield Found(number, record, size=len(line))
                else:
                    yield Found(number, problem="The line is not a JSON object.")


class _BadJson(ValueError):
    pass


def _no_constant(name: str) -> None:
    raise _BadJson(f"“{name}” is not a number.")


def _object_without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Python would keep the last one without a word, and the line would not mean what it says.
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _BadJson(f"“{name[:100]}” stands twice in one object.")
            seen.add(name)
    return made
