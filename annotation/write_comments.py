"""Write the comments that came with lines, and what became of answers that were sent back."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import F

from annotation.feedback_line import CommentLine, ReturnLine
from annotation.models import Annotation, Annotator, Assignment, Comment, Return

Commented = tuple[int, CommentLine]  # a task's key, and what was written about it


def write_comments(comments: Sequence[Commented], people: Mapping[str, int]) -> None:
    """Write them in their order; `people` has the keys of all who are named."""
    made = Comment.objects.bulk_create(
        Comment(
            task_id=task,
            annotator_id=people[one.with_whom] if one.with_whom else None,
            author_id=people[one.by],
            text=one.text,
            at=one.at,
        )
        for task, one in comments
    )
    pairs = list(zip(comments, made, strict=True))
    returned = [(written, one.sent_back) for (_, one), written in pairs if one.sent_back]
    if returned:
        _write_returns(returned)
    to_members = Comment.objects.filter(
        pk__in=[one.pk for one in made], annotator__user__isnull=False
    ).exclude(author=F("annotator"))
    unread = Counter(to_members.open_to_them().values_list("annotator", flat=True))
    for member, number in unread.items():
        Annotator.objects.filter(pk=member).update(unread=F("unread") + number)


def _write_returns(returned: Sequence[tuple[Comment, ReturnLine]]) -> None:
    votes = Annotation.objects.exclude(assignment__purpose=Assignment.Purpose.ADJUDICATION)
    votes = votes.filter(assignment__task__in=[one.task_id for one, _ in returned])
    given: defaultdict[tuple[int, int | None, int], list[int]] = defaultdict(list)
    for pk, *slot in votes.order_by("pk").values_list(
        "pk", "assignment__task", "assignment__annotator", "assignment__round"
    ):
        given[slot[0], slot[1], slot[2]].append(pk)
    answers = [given[one.task_id, one.annotator_id, back.round] for one, back in returned]
    Return.objects.bulk_create(
        Return(
            annotation_id=its[one.answer - 1], comment=comment, state=one.state, closed_at=one.at
        )
        for its, (comment, one) in zip(answers, returned, strict=True)
        # Where two people are called the same, it may have been the other one's.
        if one.answer <= len(its)
    )
