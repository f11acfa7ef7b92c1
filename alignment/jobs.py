"""Every background job of alignment, where the worker looks for them."""

from alignment.follow import follow_all_later
from alignment.serve import look_after_later
from alignment.start import start_later

__all__ = ["follow_all_later", "look_after_later", "start_later"]
