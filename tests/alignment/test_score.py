"""python -m alignment.score: what a reward model thinks of answers."""

import json

from alignment.score import score
from tests.alignment import tiny


def test_scores_every_row_also_where_a_text_holds_a_separator(reward_folder, tmp_path):
    rows = [
        {"id": number, "messages": [*tiny.asked("cat"), *tiny.answered(f"It{odd}says 1.")]}
        for number, odd in enumerate(("\u2028", "\u2029", "\x85", " "))
    ]
    (tmp_path / "run.json").write_text(json.dumps({"model": str(reward_folder)}))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    assert score(tmp_path) == 0
    assert [line["id"] for line in tiny.lines(tmp_path / "scores.jsonl")] == [0, 1, 2, 3]
