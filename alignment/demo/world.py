"""What the demo's world gives to the platform: feedback files, imported as anybody's would be."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from alignment.demo import draw
from annotation.intake import import_file
from truing.models import Project

# Tags, and for the archive the source of its answers too.
ARCHIVE = "archive"  # old conversations of all manners, to pretrain on
DEMONSTRATION = "demonstration"
CUSTOMER = "customer"  # prompts that people judge answers to


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is."""

    transcripts: int
    demonstrations: int
    prompts: int


def bring_in(project: Project, sizes: Sizes, *, seed: int) -> None:
    """Draw the world from a seed, and import it."""
    with TemporaryDirectory() as folder:
        for number, lines in enumerate(files(sizes, seed=seed)):
            path = Path(folder) / f"{number}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                for line in lines:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
            import_file(project, path)


def files(sizes: Sizes, *, seed: int) -> Iterable[list[dict[str, object]]]:
    """The lines of each file. The customers' prompts are in no other text."""
    customers = draw.prompts(sizes.prompts, seed=seed)
    taught = draw.prompts(sizes.demonstrations, seed=seed + 1, apart_from=customers)
    yield [
        {"id": f"customer-{number}", "prompt": [_user(text)], "language": "en", "tags": [CUSTOMER]}
        for number, text in enumerate(customers)
    ]
    yield [
        _answered(f"demonstration-{number}", messages, source="human", tag=DEMONSTRATION)
        for number, messages in enumerate(draw.demonstrations(taught, seed=seed))
    ]
    archive = draw.transcripts(sizes.transcripts, seed=seed, apart_from=customers)
    yield [
        _answered(f"archive-{number}", messages, source=ARCHIVE, tag=ARCHIVE)
        for number, messages in enumerate(archive)
    ]


def _answered(
    name: str, messages: list[dict[str, str]], *, source: str, tag: str
) -> dict[str, object]:
    *prompt, answer = messages
    return {
        "id": name,
        "prompt": prompt,
        "language": "en",
        "tags": [tag],
        "outputs": [{"id": "a", "text": answer["content"], "source": source}],
    }


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
