"""One contract for every format, and one training step of TRL on what two of them write."""

import pytest

from annotation.exports import EXPORTS
from annotation.exports.base import MESSAGES, NUMBER, TEXT, TEXTS, WHOLE, YES_NO
from annotation.recipe import KINDS
from annotation.write_parquet import COLUMNS

PROMPT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
ROWS = {
    "preference": {
        "prompt": PROMPT,
        "chosen": "Because.",
        "rejected": "",
        "chosen_source": "one",
        "rejected_source": "two",
        "tie": False,
        "agreement": 0.75,
        "strength": 2.0,
        "votes": 4,
        "votes_chosen": 3,
        "votes_tied": 0,
        "votes_rejected": 1,
        "language": "en",
        "tags": [],
        "task": 1,
        "annotations": [1, 2, 3, 4],
    },
    "instruction": {
        "prompt": PROMPT,
        "completion": "Because.",
        "source": "human",
        "language": "en",
        "tags": [],
        "output": 1,
        "task": None,
        "annotations": [],
    },
}
ROWS["text"] = ROWS["instruction"]
JUDGED = {**ROWS["instruction"], "source": "one", "task": 1, "annotations": [1, 2]}
ROWS["unpaired_preference"] = {
    **JUDGED,
    "label": True,
    "score": 0.75,
    "flagged": False,
    "votes": 2,
}
ROWS["label"] = {
    **JUDGED,
    "name": "Topic",
    "value": "maths",
    "level": None,
    "share": 1.0,
    "votes": 2,
    "voters": 2,
}
ROWS["critique"] = {
    **JUDGED,
    "critique": "",
    "labels": ["Wrong"],
    "severity": 2.0,
    "start": 0,
    "end": 4,
    "quote": "Beca",
}
LINE = {
    "id": "task-1",
    "prompt": PROMPT,
    "task_type": "pairwise",
    "outputs": [{"id": "a", "text": "Because."}, {"id": "b", "text": ""}],
    "annotations": [{"annotator": "w1", "answer": {"tiers": [["a"], ["b"]]}}],
}


def rows_for(export):
    """What this format is given: a row of each kind that it reads, or a task's line."""
    return [LINE] if export.of_tasks else [ROWS[kind] for kind in export.reads]


def is_messages(value):
    return isinstance(value, list) and all(
        set(message) == {"role", "content"} and all(isinstance(v, str) for v in message.values())
        for message in value
    )


FITS = {
    MESSAGES: is_messages,
    TEXT: lambda value: isinstance(value, str),
    NUMBER: lambda value: value is None or isinstance(value, float),
    WHOLE: lambda value: value is None or isinstance(value, int),
    YES_NO: lambda value: isinstance(value, bool),
    TEXTS: lambda value: all(isinstance(one, str) for one in value),
}


def test_the_rows_of_these_tests_are_those_of_versions():
    assert {kind: list(row) for kind, row in ROWS.items()} == {
        kind: list(columns) for kind, columns in COLUMNS.items()
    }


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
class TestEveryExport:
    def test_says_what_it_is_and_what_it_reads(self, export):
        assert export.label
        assert set(export.reads) <= set(KINDS)

    def test_writes_the_columns_that_it_names(self, export):
        for row in rows_for(export):
            [written] = export.rows([row])
            flat = export.flat(written)
            assert list(flat) == list(export.columns)
            for name, value in flat.items():
                assert FITS[export.columns[name]](value), name

    def test_changes_nothing_of_what_it_reads(self, export):
        for row in rows_for(export):
            before = repr(row)
            [written] = export.rows([row])
            export.flat(written)
            assert repr(row) == before

    def test_says_what_a_trainer_would_cut_into_tokens(self, export):
        for row in rows_for(export):
            [written] = export.rows([row])
            sequences = export.sequences(written)
            assert sequences
            assert all(is_messages(sequence) for sequence in sequences)

    def test_goes_row_by_row(self, export):
        """It must not read ahead: the rows of a large version do not fit in memory."""
        row = rows_for(export)[0]
        taken = []

        def rows():
            for number in range(10):
                taken.append(number)
                yield {**row, "prompt": [{"role": "user", "content": str(number)}]}

        next(iter(export.rows(rows())))
        assert taken == [0]


def test_a_preference_is_a_prompt_and_two_answers_to_it():
    assert EXPORTS["trl_preference"].row(ROWS["preference"]) == {
        "prompt": PROMPT,
        "chosen": [{"role": "assistant", "content": "Because."}],
        "rejected": [{"role": "assistant", "content": ""}],
    }


def test_fine_tuning_learns_the_completion_and_language_modelling_every_turn():
    answer = [{"role": "assistant", "content": "Because."}]
    row = ROWS["instruction"]
    assert EXPORTS["trl_sft"].row(row) == {"prompt": PROMPT, "completion": answer}
    assert EXPORTS["trl_sft"].row(ROWS["preference"])["completion"] == answer
    assert EXPORTS["trl_language_modeling"].row(row) == {"messages": PROMPT + answer}


def test_a_prompt_is_written_once():
    other = {**ROWS["preference"], "prompt": [{"role": "user", "content": "When?"}]}
    rows = [ROWS["preference"], other, ROWS["preference"], other]
    assert list(EXPORTS["trl_prompts"].rows(rows)) == [
        {"prompt": PROMPT},
        {"prompt": other["prompt"]},
    ]


def test_good_and_bad_outputs_are_what_kto_reads():
    row = {**ROWS["unpaired_preference"], "label": False}
    assert EXPORTS["trl_unpaired_preference"].row(row) == {
        "prompt": PROMPT,
        "completion": [{"role": "assistant", "content": "Because."}],
        "label": False,
    }


def test_a_label_of_a_prompt_has_no_completion():
    written = EXPORTS["labels"].row({**ROWS["label"], "completion": None})
    assert written["completion"] == []
    assert EXPORTS["labels"].sequences(written) == [PROMPT]
