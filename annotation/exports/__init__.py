"""Ways to write a dataset. One file a format; the file name is what people type."""

from annotation.exports.base import Export
from truing.plugins import plugins_in

EXPORTS = plugins_in(__name__, Export)

__all__ = ["EXPORTS", "Export"]
