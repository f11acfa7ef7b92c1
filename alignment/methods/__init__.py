"""Ways to train. One file a method; the file name is stored on the run."""

from alignment.methods.base import Method
from truing.plugins import plugins_in

METHODS = plugins_in(__name__, Method)

__all__ = ["METHODS", "Method"]
