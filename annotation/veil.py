"""Say what is sensitive where it is read outside of the desk: pages veil it as the desk does.

What a task holds is stored (see categorise.py). A prompt is as sensitive as what is asked about it,
or about its outputs: the turns of a chat are prompts of their own.
"""

from collections import defaultdict
from collections.abc import Collection

from annotation.models import Task, TaskOutput


def sensitive_prompts(prompts: Collection[int]) -> dict[int, list[str]]:
    """Those of these prompts that are sensitive, with the categories they hold."""
    asked = Task.objects.filter(prompt__in=prompts).exclude(categories=[])
    shown = TaskOutput.objects.filter(output__prompt__in=prompts).exclude(task__categories=[])
    found: dict[int, set[str]] = defaultdict(set)
    for pairs in (
        asked.values_list("prompt", "categories").distinct(),
        shown.values_list("output__prompt", "task__categories").distinct(),
    ):
        for prompt, categories in pairs:
            found[prompt].update(categories)
    return {prompt: sorted(categories) for prompt, categories in found.items()}


def sensitive_tasks(tasks: Collection[int]) -> dict[int, list[str]]:
    """Those of these tasks that are sensitive, with the categories they hold."""
    found = Task.objects.filter(pk__in=tasks).exclude(categories=[])
    return dict(found.values_list("pk", "categories"))
