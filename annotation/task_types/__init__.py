"""What an annotator can be asked. One file a task type; the file name is stored on the queue."""

from annotation.task_types.base import TaskType
from truing.plugins import plugins_in

TASK_TYPES = plugins_in(__name__, TaskType)

__all__ = ["TASK_TYPES", "TaskType"]
