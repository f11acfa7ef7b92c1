"""Keep how reliable people are beside their other figures: worked out each hour, where much is new.

It takes all votes of a queue together, so it is no business of a request. See reliability.py.
"""

from django.db import transaction
from django.db.models import F, Sum
from procrastinate.contrib.django import app

from annotation.models import Queue, Standing
from annotation.reliability import reliability_of

# Worked out anew when there are so many more answers, in shares of those it last rested on.
MORE = 0.02


def rely() -> int:
    """Work it out for every queue in which enough has been answered since; say for how many."""
    answered = (
        Queue.objects.exclude(state=Queue.State.CLOSED, relied_on__gt=0)
        .annotate(answers_now=Sum("standings__answers"))
        .filter(answers_now__gt=F("relied_on") * (1 + MORE))
        .select_related("project")
        .order_by("pk")
    )
    done = 0
    for queue in answered:
        rely_in(queue)
        Queue.objects.filter(pk=queue.pk).update(relied_on=queue.answers_now)
        done += 1
    return done


def rely_in(queue: Queue) -> None:
    """Work it out for all who have answered in one queue."""
    found = reliability_of(queue.project, queue)
    # One statement a person, each for itself: who answers meanwhile waits for none but their own.
    for standing in Standing.objects.filter(queue=queue).only("pk", "annotator_id").order_by("pk"):
        seen = found.get(standing.annotator_id)
        with transaction.atomic():
            Standing.objects.filter(pk=standing.pk).update(
                reliability=seen.reliability if seen else None,
                relied_on=seen.compared if seen else 0,
            )


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="rely", pass_context=False)
def rely_later(timestamp: int) -> None:
    rely()
