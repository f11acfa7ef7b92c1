from annotation.exports.base import (
    MESSAGES,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    Export,
    Message,
    Row,
    said,
)


class Critiques(Export):
    """What is wrong with an output, in words, or as a stretch of it: `start`, `end`, `quote`."""

    label = "Critiques: what people wrote about outputs and marked in them"
    reads = ("critique",)
    columns = {
        "prompt": MESSAGES,
        "completion": MESSAGES,
        "critique": TEXT,
        "labels": TEXTS,
        "severity": NUMBER,
        "start": WHOLE,
        "end": WHOLE,
        "quote": TEXT,
    }

    def row(self, row: Row) -> Row:
        rest = {name: row[name] for name in self.columns if name not in ("prompt", "completion")}
        return {"prompt": row["prompt"], "completion": said(row["completion"]), **rest}

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["prompt"] + written["completion"]]
