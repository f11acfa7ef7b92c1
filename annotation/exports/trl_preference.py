from annotation.exports.base import MESSAGES, Export, Message, Row, said


class TrlPreference(Export):
    """TRL's conversational preference type, for RewardTrainer, DPOTrainer and their like."""

    label = "TRL preference: prompt, chosen, rejected"
    reads = ("preference",)
    columns = {"prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES}

    def row(self, row: Row) -> Row:
        return {
            "prompt": row["prompt"],
            "chosen": said(row["chosen"]),
            "rejected": said(row["rejected"]),
        }

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["prompt"] + written[side] for side in ("chosen", "rejected")]
