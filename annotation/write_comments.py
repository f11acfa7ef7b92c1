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
    unread = Counter(one.annotator_id for one in made if one.annotator_id != one.author_id)
    members = Annotator.objects.filter(pk__in=[key for key in unread if key], user__isnull=False)
    for member in members:
        unread_now = F("unread") + unread[member.pk]
        Annotator.objects.filter(pk=member.pk).update(unread=unread_now)


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
