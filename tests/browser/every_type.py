"""A question of every task type, also of those that will come."""

from annotation.task_types import TASK_TYPES
from tests import make


def task_of(project, name, texts=("The first text.", "The second text."), **fields):
    """A task of this type with as many outputs as it needs, two where it takes two."""
    task_type = TASK_TYPES[name]
    count = max(task_type.min_outputs, min(len(texts), task_type.max_outputs))
    outputs = [texts[number % len(texts)] + " " * number for number in range(count)]
    return make.task(project, type=name, outputs=outputs, **fields)
