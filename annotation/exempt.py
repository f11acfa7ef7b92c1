"""Nobody judges what they wrote themselves, nor what they have seen others answer."""

from collections.abc import Sequence

from django.db import connection

from annotation.models import Annotator, Exemption, Task
from truing.models import User

_EXEMPT = """
INSERT INTO annotation_exemption (task_id, annotator_id, why, created_at)
SELECT task.id, wrote.annotator_id, 'wrote', now()
FROM annotation_task task JOIN annotation_authorship wrote ON wrote.prompt_id = task.prompt_id
WHERE task.id = ANY(%(tasks)s)
UNION
SELECT place.task_id, wrote.annotator_id, 'wrote', now()
FROM annotation_taskoutput place JOIN annotation_authorship wrote USING (output_id)
WHERE place.task_id = ANY(%(tasks)s)
ON CONFLICT DO NOTHING
"""


def exempt_authors(tasks: Sequence[int]) -> None:
    """Do not ask those who wrote the prompts of these tasks, or one of their outputs."""
    with connection.cursor() as cursor:
        cursor.execute(_EXEMPT, {"tasks": list(tasks)})


def see_answers(task: Task, user: User) -> Annotator:
    """Whoever sees what others answered, or what is known, is not asked the same any more."""
    me = Annotator.objects.member(task.queue.project, user)
    why = Exemption.Why
    found, _ = Exemption.objects.get_or_create(task=task, annotator=me, defaults={"why": why.SAW})
    if found.why == why.LATER:  # it does not come back to them; what they wrote stays theirs
        Exemption.objects.filter(pk=found.pk, why=why.LATER).update(why=why.SAW)
    return me
