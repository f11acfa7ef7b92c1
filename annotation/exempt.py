"""Nobody judges what they wrote themselves."""

from collections.abc import Sequence

from django.db import connection

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
