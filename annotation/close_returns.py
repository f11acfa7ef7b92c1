"""Close what was sent back: it was corrected, or kept, or is over."""

from collections.abc import Iterable

from django.utils import timezone

from annotation.models import Annotator, Return
from annotation.models.thread import ReturnQuerySet


def people_sent_back(annotators: Iterable[int | None]) -> None:
    """Hold these people before what they answered is touched, as they do at their desk."""
    keys = {key for key in annotators if key is not None}
    people = Annotator.objects.select_for_update(no_key=True).filter(pk__in=keys)
    list(people.order_by("pk").values_list("pk", flat=True))


def close_returns(returns: ReturnQuerySet, state: str) -> int:
    """Those of them that are open. The caller holds the annotators (`people_sent_back`)."""
    found = list(returns.open().values_list("pk", "annotation__assignment__annotator"))
    if found:
        keys = [key for key, _ in found]
        Return.objects.open().filter(pk__in=keys).update(state=state, closed_at=timezone.now())
        Annotator.objects.count_returns([who for _, who in found if who is not None])
    return len(found)
