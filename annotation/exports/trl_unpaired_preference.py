from annotation.exports.base import MESSAGES, YES_NO, Export, Message, Row, said


class TrlUnpairedPreference(Export):
    """TRL's conversational unpaired preference type, for KTO and its like."""

    label = "TRL unpaired preference: prompt, completion, label"
    reads = ("unpaired_preference",)
    columns = {"prompt": MESSAGES, "completion": MESSAGES, "label": YES_NO}

    def row(self, row: Row) -> Row:
        return {
            "prompt": row["prompt"],
            "completion": said(row["completion"]),
            "label": row["label"],
        }

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["prompt"] + written["completion"]]
