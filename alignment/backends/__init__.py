"""Places where processes run. One file a place; the file name is stored on the run."""

from alignment.backends.base import Backend, State
from truing.plugins import plugins_in

BACKENDS = plugins_in(__name__, Backend)

__all__ = ["BACKENDS", "Backend", "State"]
