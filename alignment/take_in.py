"""Taking in what a generation has written so far: whole lines only, each of them once."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import transaction

from alignment.models import Generation
from annotation.models import Output
from annotation.models.output import output_digest

LINES = 500  # at a time


def take_in(generation: Generation) -> int:
    """Add the outputs that have come since, and return how many there are now.

    The same text twice for one prompt is kept once. What is taken in twice changes nothing.
    """
    file = generation.folder / "outputs.jsonl"
    if not file.exists():
        return generation.made
    wanted = set(generation.prompts)
    with file.open("rb") as stream:
        whole = (raw for raw in islice(stream, generation.taken, None) if raw.endswith(b"\n"))
        while lines := list(islice(whole, LINES)):
            outputs = [
                output
                for raw in lines
                for output in _outputs(generation, json.loads(raw))
                if output.prompt_id in wanted
            ]
            with transaction.atomic():
                Output.objects.bulk_create(outputs, ignore_conflicts=True)
                generation.taken += len(lines)
                generation.made += len(outputs)
                generation.save(update_fields=["taken", "made"])
    return generation.made


def _outputs(generation: Generation, line: dict[str, Any]) -> Iterator[Output]:
    params = generation.params_of_outputs
    for text in dict.fromkeys(map(_storable, line["texts"])):
        yield Output(
            prompt_id=line["id"],
            text=text,
            digest=output_digest(text, params),
            source=generation.checkpoint.source,
            params=params,
        )


def _storable(text: str) -> str:
    """PostgreSQL keeps neither the character 0 nor half a pair of surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
