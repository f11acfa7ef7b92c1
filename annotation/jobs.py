"""Every background job of annotation, where the worker looks for them."""

from annotation.end_chat import end_left_chats_later
from annotation.rely import rely_later
from annotation.run_import import import_later

__all__ = ["end_left_chats_later", "import_later", "rely_later"]
