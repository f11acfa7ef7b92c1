"""Find out which sensitive categories a task holds: its queue names them, its prompt carries them.

A prompt carries a category as a tag (“violence”, or “Harm:violence” where people classified it so),
or under `category` or `categories` of its meta. A task without a prompt has them in its brief.
"""

import re
from collections.abc import Iterable, Sequence

from django.db import connection

from annotation.models import Bookmark, Queue
from truing.errors import Invalid

MOST = 50
CATEGORY = re.compile(r"[^\W_][\w .:+/&-]{0,79}")

# Only what has changed is written. A prompt's words count whole, and without what stands before
# their first colon.
_CATEGORISE = """
UPDATE annotation_task task SET categories = found.categories
FROM (
    SELECT asked.id, ARRAY(
        SELECT wanted FROM unnest(queue.sensitive) AS wanted
        WHERE EXISTS (
            SELECT FROM (
                SELECT unnest(prompt.tags || prompt.judged_tags) AS word
                UNION ALL
                SELECT jsonb_array_elements_text(CASE jsonb_typeof(held.value)
                    WHEN 'array' THEN held.value ELSE jsonb_build_array(held.value) END)
                FROM unnest(ARRAY[prompt.meta, asked.brief]) AS said(about)
                CROSS JOIN LATERAL jsonb_each(said.about) AS held(name, value)
                WHERE held.name IN ('category', 'categories')
            ) carried
            WHERE wanted IN (lower(btrim(word)), lower(btrim(regexp_replace(word, '^[^:]*:', ''))))
        )
        ORDER BY wanted
    ) AS categories
    FROM annotation_task asked
    JOIN annotation_queue queue ON queue.id = asked.queue_id
    LEFT JOIN annotation_prompt prompt ON prompt.id = asked.prompt_id
    WHERE {which}
) found
WHERE task.id = found.id AND task.categories <> found.categories
"""
_OF_QUEUE = _CATEGORISE.format(which="asked.queue_id = %s")
_OF_TASKS = _CATEGORISE.format(which="asked.id = ANY(%s)")
_OF_PROMPTS = _CATEGORISE.format(
    which="asked.prompt_id = ANY(%s) AND cardinality(queue.sensitive) > 0"
)


def checked_categories(text: str) -> list[str]:
    """Categories with commas between, as they are stored: in lower case, each once, in order."""
    found = sorted({" ".join(one.split()).lower() for one in text.split(",")} - {""})
    for one in found:
        if not CATEGORY.fullmatch(one):
            raise Invalid(f"“{one}” is no category: letters, digits and spaces, 80 at most.")
    if len(found) > MOST:
        raise Invalid(f"A queue has at most {MOST} sensitive categories.")
    return found


def categorise(queue: Queue) -> None:
    """Look at all tasks of a queue whose categories have changed; everybody begins anew.

    The caller holds the queue, so that nobody's bookmark is moved meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OF_QUEUE, [queue.pk])
    # What somebody was not given before lies behind their bookmark. Who is being served at this
    # moment holds theirs, and may wait for one of these tasks: they find it when nothing is ahead.
    others = Bookmark.objects.filter(queue=queue, annotator__isnull=False)
    begin_anew(others.select_for_update(skip_locked=True, of=("self",)).values_list("pk"))


def categorise_tasks(queue: Queue, tasks: Sequence[int]) -> None:
    """Look at tasks that have just come."""
    if queue.sensitive and tasks:
        with connection.cursor() as cursor:
            cursor.execute(_OF_TASKS, [list(tasks)])


def categorise_prompts(prompts: Iterable[int]) -> None:
    """Look at what is asked about prompts whose tags have changed."""
    if keys := list(prompts):
        with connection.cursor() as cursor:
            cursor.execute(_OF_PROMPTS, [keys])


def begin_anew(bookmarks: Iterable[tuple[int]]) -> None:
    """Whose bookmarks these are looks through their queues from the beginning."""
    keys = [pk for (pk,) in bookmarks]
    Bookmark.objects.filter(pk__in=keys).update(
        positions={}, swept_lane=-1, swept_slot=0, swept_at=None
    )
