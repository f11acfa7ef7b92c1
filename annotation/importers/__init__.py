"""What files can be read. One file a format; the file name is what people type."""

from annotation.importers.base import Importer
from truing.plugins import plugins_in

IMPORTERS = plugins_in(__name__, Importer)

__all__ = ["IMPORTERS", "Importer"]
