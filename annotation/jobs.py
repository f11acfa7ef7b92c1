"""Every background job of annotation, where the worker looks for them."""

from annotation.run_import import import_later

__all__ = ["import_later"]
