"""Make things for tests. Every argument has a default; say only what the test is about."""

import itertools
import json

from django.utils import timezone

from annotation.assign import HOLD
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Endpoint,
    Output,
    Prompt,
    Queue,
    Task,
    TaskOutput,
)
from annotation.models.output import output_digest
from annotation.models.prompt import prompt_digest, split_of
from truing.models import Membership, Project, User

numbers = itertools.count(1)


def user(name="someone", **fields):
    return User.objects.create_user(f"{name}@example.org", password=None, name=name, **fields)


def project(slug="demo", **fields):
    return Project.objects.create(slug=slug, name=slug.capitalize(), **fields)


def member(project, name="someone", role="ANNOTATOR"):
    person = user(name)
    Membership.objects.create(project=project, user=person, role=Membership.Role[role])
    return person


def annotator(project, name="w1"):
    """Somebody whose answers came with a file."""
    return Annotator.objects.create(project=project, source="import", name=name, pseudonym=name)


def queue(project, name="Compare", type="pairwise", **fields):
    found = Queue.objects.filter(project=project, name=name).first()
    return found or Queue.objects.create(project=project, name=name, type=type, **fields)


def endpoint(project, name="model", base_url="http://127.0.0.1:9/v1", model="m", **fields):
    """Where nobody listens, unless the test says otherwise."""
    found = Endpoint.objects.filter(project=project, name=name).first()
    return found or Endpoint.objects.create(
        project=project, name=name, base_url=base_url, model=model, **fields
    )


def prompt(project, text="Why is the sky blue?", **fields):
    messages = [{"role": "user", "content": text}]
    values = {
        "messages": messages,
        "text": text,
        "digest": prompt_digest(
            messages,
            fields.get("language", ""),
            fields.get("source", ""),
            fields.get("tags", []),
            fields.get("meta", {}),
        ),
        "split": split_of(
            text, eval_percent=project.eval_percent, review_percent=project.review_percent
        ),
        **fields,
    }
    found = Prompt.objects.filter(project=project, digest=values["digest"], ref="").first()
    return found or Prompt.objects.create(project=project, **values)


def output(prompt, text="Because of scattering.", source="model"):
    return Output.objects.get_or_create(
        prompt=prompt, digest=output_digest(text), source=source, defaults={"text": text}
    )[0]


def task(project, type="pairwise", outputs=("one", "two"), answers=1, prompt_text=None, **fields):
    """A task in a queue of its type, with so many free slots."""
    number = next(numbers)
    the_queue = fields.pop("queue", None) or queue(project, name=f"A {type} queue", type=type)
    made = Task.objects.create(
        queue=the_queue,
        prompt=prompt(project, prompt_text or f"Question {number}?"),
        ref=f"task-{number}",
        **fields,
    )
    for position, text in enumerate(outputs):
        TaskOutput.objects.create(
            task=made,
            output=output(made.prompt, text, source=f"model {position}"),
            position=position,
            ref="abcdefghijklmnopqrstuvwxyz"[position],
        )
    Assignment.objects.bulk_create(Assignment(task=made, queue=the_queue) for _ in range(answers))
    return made


def lapsed(assignment):
    """Its hold has run out."""
    Assignment.objects.filter(pk=assignment.pk).update(held_until=timezone.now() - HOLD)


def vote(task, *tiers, by="w1", purpose="import", round=1, shown=(), **beside):
    """Somebody's answer that came with a file: `vote(task, "a", "bc")` puts b and c second."""
    person = Annotator.objects.get_or_create(
        project=task.queue.project, source="import", name=by, defaults={"pseudonym": by}
    )[0]
    slot = Assignment.objects.create(
        task=task,
        queue=task.queue,
        annotator=person,
        state=Assignment.State.ANSWERED,
        purpose=purpose,
        round=round,
    )
    return Annotation.objects.create(
        assignment=slot,
        answer={"tiers": [list(tier) for tier in tiers], **beside},
        shown=list(shown),
        key=f"vote-{next(numbers)}",
    )


def feedback_line(task):
    """A line that says what a task says."""
    outputs = [{"id": one.ref, "text": one.output.text} for one in task.task_outputs.all()]
    line = {"id": task.ref, "prompt": task.prompt.messages, "outputs": outputs}
    return json.dumps(line).encode() + b"\n"
