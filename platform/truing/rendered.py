"""What has been rendered, kept for a while: so many characters, those that were asked for last."""

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock

# What it takes to keep one, however short it is.
ENTRY_CHARACTERS = 300


class Rendered:
    """HTML by the text that it came from. The text itself is not kept."""

    def __init__(self, characters: int) -> None:
        self.room = characters
        self._lock = Lock()
        self._html: OrderedDict[bytes, str] = OrderedDict()

    def find(self, text: str) -> str | None:
        key = _key(text)
        with self._lock:
            if key in self._html:
                self._html.move_to_end(key)
            return self._html.get(key)

    def keep(self, text: str, html: str) -> None:
        key = _key(text)
        with self._lock:
            if (before := self._html.pop(key, None)) is not None:
                self.room += _size(before)
            self._html[key] = html
            self.room -= _size(html)
            while self.room < 0:
                self.room += _size(self._html.popitem(last=False)[1])


def _size(html: str) -> int:
    return len(html) + ENTRY_CHARACTERS


def _key(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=20).digest()
