from annotation.exports.base import MESSAGES, Export, Message, Row, said


class TrlSft(Export):
    """TRL's conversational prompt-completion type: only the completion is learnt.

    Of a preference, the chosen output is what is shown.
    """

    label = "TRL fine-tuning: prompt, completion"
    reads = ("instruction", "text", "preference")
    columns = {"prompt": MESSAGES, "completion": MESSAGES}

    def row(self, row: Row) -> Row:
        text = row["completion"] if "completion" in row else row["chosen"]
        return {"prompt": row["prompt"], "completion": said(text)}

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["prompt"] + written["completion"]]
