"""Keep what people wrote in their answers: as outputs and prompts, in the answers' transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from annotation.exempt import exempt_authors
from annotation.models import Annotation, Authorship, Output, Prompt, Queue, Task
from annotation.models.output import output_digest
from annotation.models.prompt import prompt_digest, split_of
from annotation.task_types.base import NewOutput, NewPrompt
from truing.models import Project

SOURCE = "human"
PIECE = 1000
OutputName = tuple[int, str]  # prompt, digest

# Whoever writes the same at the same moment is waited for, and then there is nothing to add.
_ADD_OUTPUTS = """
INSERT INTO annotation_output (prompt_id, digest, text, source, params, ref, created_at)
SELECT prompt_id, digest, text, %(source)s, '{}', '', %(now)s
FROM unnest(%(prompts)s::bigint[], %(digests)s::text[], %(texts)s::text[])
    AS wanted(prompt_id, digest, text)
ON CONFLICT (prompt_id, digest, source) DO NOTHING
RETURNING id, prompt_id, digest
"""
_ADD_PROMPT = """
INSERT INTO annotation_prompt
    (project_id, ref, task_type, digest, messages, text, language, source, tags, meta, split,
    created_at)
VALUES (%s, '', '', %s, %s::jsonb, %s, %s, %s, %s::varchar[], '{}', %s, %s)
ON CONFLICT (project_id, digest, parent_id) WHERE ref = '' DO NOTHING
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that has been written down: whose, about which prompt, and what it says."""

    annotation: int
    annotator: int
    prompt: int | None
    answer: dict[str, Any]


def keep_written(annotation: Annotation, task: Task) -> None:
    """Keep what this answer wrote, if it did: an output or a prompt, and who wrote it.

    What is here already is not added again, and is theirs as well.
    """
    annotator = annotation.assignment.annotator_id
    assert annotator is not None, "an answer is somebody's"
    said = Said(annotation.pk, annotator, task.prompt_id, annotation.answer)
    keep_all_written(task.queue, [said])


def keep_all_written(queue: Queue, answers: Sequence[Said]) -> None:
    """The same for many answers in one queue."""
    task_type, options = queue.task_type, queue.type_options
    outputs: list[tuple[Said, NewOutput]] = []
    prompts: list[tuple[Said, NewPrompt]] = []
    for said in answers:
        for written in task_type.written(said.answer, options):
            if isinstance(written, NewPrompt):
                prompts.append((said, written))
            elif said.prompt is not None:
                outputs.append((said, written))
    rows: list[Authorship] = []
    for start in range(0, len(outputs), PIECE):
        rows += _of_outputs(outputs[start : start + PIECE])
    rows += [_of_prompt(queue.project, said, written) for said, written in prompts]
    if rows:
        Authorship.objects.bulk_create(rows, batch_size=PIECE, ignore_conflicts=True)
    if not all(row.is_new for row in rows):
        _exempt([row for row in rows if not row.is_new])


def _exempt(rows: Sequence[Authorship]) -> None:
    """Whoever writes what others are asked about already is not asked about it."""
    tasks = Task.objects.filter(
        Q(task_outputs__output__in=[row.output_id for row in rows if row.output_id])
        | Q(prompt__in=[row.prompt_id for row in rows if row.prompt_id])
    )
    exempt_authors(list(tasks.values_list("pk", flat=True).distinct()))


def _of_outputs(written: Sequence[tuple[Said, NewOutput]]) -> list[Authorship]:
    texts: dict[OutputName, str] = {}
    names: list[OutputName] = []
    for said, new in written:
        assert said.prompt is not None
        names.append((said.prompt, output_digest(new.text)))
        texts[names[-1]] = new.text
    added = _added(texts)
    known = _known([name for name in texts if name not in added])
    return [
        Authorship(
            annotation_id=said.annotation,
            annotator_id=said.annotator,
            output_id=added.get(name) or known[name],
            is_new=name in added,
        )
        for (said, _), name in zip(written, names, strict=True)
    ]


def _added(texts: dict[OutputName, str]) -> dict[OutputName, int]:
    values: dict[str, Any] = {
        "source": SOURCE,
        "now": timezone.now(),
        "prompts": [prompt for prompt, _ in texts],
        "digests": [digest for _, digest in texts],
        "texts": list(texts.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD_OUTPUTS, values)
        return {(prompt, digest): key for key, prompt, digest in cursor}


def _known(names: list[OutputName]) -> dict[OutputName, int]:
    if not names:
        return {}
    found = Output.objects.filter(
        prompt__in={prompt for prompt, _ in names},
        digest__in={digest for _, digest in names},
        source=SOURCE,
    )
    return {(one.prompt_id, one.digest): one.pk for one in found.only("prompt", "digest")}


def _of_prompt(project: Project, said: Said, new: NewPrompt) -> Authorship:
    turns = [turn["content"] for turn in new.messages if turn["role"] == "user"]
    tags = list(new.tags)
    digest = prompt_digest(new.messages, new.language, SOURCE, tags, {})
    split = split_of(
        turns[0], eval_percent=project.eval_percent, review_percent=project.review_percent
    )
    messages = json.dumps(new.messages, ensure_ascii=False)
    own = (messages, turns[-1], new.language, SOURCE, tags, split, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_ADD_PROMPT, (project.pk, digest, *own))
        added = cursor.fetchone()
    key = added[0] if added else _known_prompt(project, digest)
    return Authorship(
        annotation_id=said.annotation,
        annotator_id=said.annotator,
        prompt_id=key,
        is_new=added is not None,
    )


def _known_prompt(project: Project, digest: str) -> int:
    return Prompt.objects.get(project=project, digest=digest, ref="", parent=None).pk
