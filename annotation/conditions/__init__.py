"""When a rule applies to somebody's work. One file a condition; rules store the file's name."""

from annotation.conditions.base import Condition, Figures
from truing.plugins import plugins_in

CONDITIONS = plugins_in(__name__, Condition)

__all__ = ["CONDITIONS", "Condition", "Figures"]
