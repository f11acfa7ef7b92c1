from annotation.exports.base import MESSAGES, NUMBER, TEXT, Export, Message, Row, said


class Labels(Export):
    """One label a row, for whoever trains a classifier or a scorer."""

    label = "Labels: what each output or prompt is called, and by how many"
    reads = ("label",)
    columns = {
        "prompt": MESSAGES,
        "completion": MESSAGES,
        "name": TEXT,
        "value": TEXT,
        "level": NUMBER,
        "share": NUMBER,
    }

    def row(self, row: Row) -> Row:
        about = [] if row["completion"] is None else said(row["completion"])
        rest = {name: row[name] for name in ("name", "value", "level", "share")}
        return {"prompt": row["prompt"], "completion": about, **rest}

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["prompt"] + written["completion"]]
