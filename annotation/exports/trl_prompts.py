import hashlib
import json
from collections.abc import Iterable, Iterator

from annotation.exports.base import MESSAGES, Export, Message, Row


class TrlPrompts(Export):
    """TRL's conversational prompt-only type: each prompt once, for methods that answer it anew."""

    label = "TRL prompts: each prompt once"
    reads = ("preference", "unpaired_preference", "instruction", "text", "label")
    columns = {"prompt": MESSAGES}

    def row(self, row: Row) -> Row:
        return {"prompt": row["prompt"]}

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        seen: set[bytes] = set()
        for row in map(self.row, rows):
            text = json.dumps(row["prompt"], sort_keys=True).encode()
            digest = hashlib.sha256(text).digest()
            if digest not in seen:
                seen.add(digest)
                yield row

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["prompt"]]
