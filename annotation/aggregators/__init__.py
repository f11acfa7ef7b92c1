"""Ways to merge all votes of a selection. One file a way; the file name is stored in recipes."""

from annotation.aggregators.base import Aggregator
from truing.plugins import plugins_in

AGGREGATORS = plugins_in(__name__, Aggregator)

__all__ = ["AGGREGATORS", "Aggregator"]
