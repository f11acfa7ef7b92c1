from annotation.exports.base import MESSAGES, Export, Message, Row, said


class TrlLanguageModeling(Export):
    """TRL's conversational language modelling type: every turn is learnt."""

    label = "TRL language modelling: messages"
    reads = ("text", "instruction")
    columns = {"messages": MESSAGES}

    def row(self, row: Row) -> Row:
        return {"messages": row["prompt"] + said(row["completion"])}

    def sequences(self, written: Row) -> list[list[Message]]:
        return [written["messages"]]
