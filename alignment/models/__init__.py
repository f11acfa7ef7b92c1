"""The alignment tables, in the order in which data flows through them."""

from alignment.models.process import Process  # isort: skip
from alignment.models.checkpoint import Checkpoint  # isort: skip
from alignment.models.run import Run  # isort: skip
from alignment.models.generation import Generation  # isort: skip
from alignment.models.serving import Serving  # isort: skip
from alignment.models.review import Review  # isort: skip
from alignment.models.promotion import Promotion  # isort: skip

__all__ = ["Checkpoint", "Generation", "Process", "Promotion", "Review", "Run", "Serving"]
