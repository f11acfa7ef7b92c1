from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Value

from annotation.models.annotation import Annotation, AnnotationQuerySet
from annotation.models.annotator import Annotator
from annotation.models.output import Output
from annotation.models.prompt import Prompt
from annotation.models.queue import Queue, QueueQuerySet
from annotation.models.task import TaskOutput, TaskQuerySet
from annotation.task_types import TASK_TYPES


class AuthorshipQuerySet(models.QuerySet["Authorship"]):
    def standing(self) -> "AuthorshipQuerySet":
        """Those of answers that count: not corrected since, and no check."""
        return self.filter(annotation__in=Annotation.objects.votes())

    def of_tasks(self, tasks: list[int]) -> "AuthorshipQuerySet":
        """Who wrote what these tasks are about: their prompt, or one of their outputs."""
        return self.filter(
            Q(output__task_outputs__task__in=tasks) | Q(prompt__tasks__in=tasks)
        ).distinct()


class Authorship(models.Model):
    """That an answer wrote an output or a prompt, and whose. Two people may write the same."""

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="authorships")
    # The annotation's annotator again, so that "did they write this?" reads one index.
    annotator = models.ForeignKey(
        Annotator, on_delete=models.PROTECT, related_name="authorships", db_index=False
    )
    output = models.ForeignKey(
        Output, null=True, blank=True, on_delete=models.CASCADE, related_name="authorships"
    )
    prompt = models.ForeignKey(
        Prompt, null=True, blank=True, on_delete=models.CASCADE, related_name="authorships"
    )
    # False where the same text was here already, and would be without the answer.
    is_new = models.BooleanField(default=True)

    objects = AuthorshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(output=None) ^ Q(prompt=None), name="authorship_of_one_thing"
            ),
            models.UniqueConstraint(
                fields=["annotation", "output", "prompt"],
                nulls_distinct=False,
                name="one_authorship_per_answer_and_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["annotator", "output"], name="authorship_of_output"),
            models.Index(fields=["annotator", "prompt"], name="authorship_of_prompt"),
        ]

    def __str__(self) -> str:
        return f"what answer {self.annotation_id} wrote"


def withdrawn(field: str, *, key: str = "pk") -> Q:
    """What was written here (an "output" or a "prompt"), and is in no answer that counts.

    `key` is where its key stands in the rows that are filtered.
    """
    its = Authorship.objects.filter(**{field: OuterRef(key)})
    return Q(Exists(its.filter(is_new=True))) & ~Q(Exists(its.standing()))


def written(field: str, *, key: str = "pk") -> Q:
    """What somebody wrote here: an "output" or a "prompt"."""
    return Q(Exists(Authorship.objects.filter(**{field: OuterRef(key)})))


def accepted(field: str, *, key: str = "pk") -> Q:
    """What most of those who validated it accepted, or a reviewer who settled it.

    An "output", or a "prompt" alone.
    """
    counted = verdicts_on(field, key=key).order_by().values(one=Value(1))
    counted = counted.annotate(
        yes=Count("pk", filter=Q(answer__verdict="accept")),
        no=Count("pk", filter=~Q(answer__verdict="accept")),
    )
    return Q(Exists(counted.filter(yes__gt=F("no"))))


def verdicts_on(field: str, *, key: str) -> AnnotationQuerySet:
    """What those say who validate it."""
    given = Annotation.objects.counting().filter(assignment__queue__in=gates())
    if field == "output":
        return given.filter(assignment__task__task_outputs__output=OuterRef(key))
    return given.filter(assignment__task__prompt=OuterRef(key), assignment__task__task_outputs=None)


def about_what_is_withdrawn(tasks: TaskQuerySet) -> TaskQuerySet:
    """Those that ask about an output or a prompt which its author has corrected since.

    Nobody is asked them any more: the correction is asked about instead.
    """
    places = TaskOutput.objects.filter(task=OuterRef("pk"))
    of_outputs = Q(Exists(places.filter(withdrawn("output", key="output"))))
    of_prompts = ~Q(Exists(places)) & withdrawn("prompt", key="prompt")
    return tasks.filter(of_outputs | of_prompts)


def gates() -> QueueQuerySet:
    """The queues in which people say what may go into training."""
    types = [name for name, one in TASK_TYPES.items() if one.is_gate]
    return Queue.objects.filter(type__in=types)
