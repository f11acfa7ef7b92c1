import json

from annotation.exports.base import MESSAGES, TEXT, Export, Message, Row, said

PLAIN = ("id", "language", "source", "task_type", "gold_kind")
NESTED = ("tags", "outputs", "annotations", "gold", "brief", "comments", "meta")


class Feedback(Export):
    """The interchange format, lossless: the tasks behind a version's rows with all their answers.

    A line is described in docs/feedback.md.
    """

    label = "Feedback: the tasks behind it with all their answers"
    reads = ("preference", "unpaired_preference", "label", "critique")
    of_tasks = True
    columns = {"prompt": MESSAGES, **dict.fromkeys((*PLAIN, *NESTED), TEXT)}

    def row(self, row: Row) -> Row:
        return row

    def flat(self, written: Row) -> Row:
        """What columns have no type for stands in them as JSON."""
        plain = {name: written.get(name, "") for name in PLAIN}
        nested = {
            name: json.dumps(written[name], ensure_ascii=False) if name in written else ""
            for name in NESTED
        }
        return {"prompt": written.get("prompt", []), **plain, **nested}

    def sequences(self, written: Row) -> list[list[Message]]:
        prompt: list[Message] = written.get("prompt", [])
        outputs = [said(output["text"]) for output in written.get("outputs", [])]
        return [prompt + output for output in outputs] or [prompt]
