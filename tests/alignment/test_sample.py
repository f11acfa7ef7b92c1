"""python -m alignment.sample: answers to prompts, by a model, in a process without Django."""

import json
import signal
import time

import pytest

from alignment.sample import sample
from tests.alignment import tiny


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return tiny.make_policy(tmp_path_factory.mktemp("policy") / "model")


def sampling(folder, policy, prompts=9, **params):
    folder.mkdir(parents=True, exist_ok=True)
    given = {"model": str(policy), "samples": 2, "max_new_tokens": 8, "batch_size": 4, "seed": 3}
    (folder / "run.json").write_text(json.dumps(given | params))
    rows = [
        {"id": number, "messages": tiny.asked(tiny.ANIMALS[number % 12] * (number % 3 + 1))}
        for number in range(prompts)
    ]
    tiny.write_lines(folder / "prompts.jsonl", rows)
    return folder


def answers(folder):
    found = tiny.lines(folder / "outputs.jsonl")
    assert len({line["id"] for line in found}) == len(found)
    return {line["id"]: line["texts"] for line in found}


def test_answers_every_prompt_as_often_as_asked(policy, tmp_path):
    folder = sampling(tmp_path, policy)
    assert sample(folder) == 0
    assert sorted(answers(folder)) == list(range(9))
    assert all(len(texts) == 2 for texts in answers(folder).values())
    assert len({text for texts in answers(folder).values() for text in texts}) > 9
    progress = tiny.lines(folder / "metrics.jsonl")
    assert [line["step"] for line in progress] == [2, 4, 6, 8, 9]
    assert {line["total"] for line in progress} == {9}


def test_the_same_seed_gives_the_same_answers_and_another_others(policy, tmp_path):
    one, two, three = (
        sampling(tmp_path / name, policy, seed=seed)
        for name, seed in (("one", 3), ("two", 3), ("three", 4))
    )
    for folder in (one, two, three):
        sample(folder)
    assert answers(one) == answers(two)
    assert answers(one) != answers(three)


def test_a_prompt_may_hold_what_separates_lines_elsewhere(policy, tmp_path):
    folder = sampling(tmp_path, policy, prompts=0)
    rows = [
        {"id": number, "messages": tiny.asked(f"cat{odd}and dog")}
        for number, odd in enumerate(("\u2028", "\u2029", "\x85"))
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "prompts.jsonl").write_text(lines, encoding="utf-8")
    assert sample(folder) == 0
    assert sorted(answers(folder)) == [0, 1, 2]
    assert sample(folder) == 0, "and when it is asked again"


def test_reads_utf_8_wherever_it_runs(policy, tmp_path):
    """An operator's machine may have another encoding for text."""
    folder = sampling(tmp_path / "run", policy, prompts=0)
    line = json.dumps({"id": 1, "messages": tiny.asked("Käuzchen")}, ensure_ascii=False) + "\n"
    (folder / "prompts.jsonl").write_text(line, encoding="utf-8")
    other = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert tiny.run("sample", folder, **other) == 0, (folder / "log.txt").read_text()
    assert sorted(answers(folder)) == [1]


def test_temperature_zero_always_takes_the_likeliest(policy, tmp_path):
    one, two = (sampling(tmp_path / str(seed), policy, temperature=0, seed=seed) for seed in (1, 2))
    sample(one)
    sample(two)
    assert answers(one) == answers(two)
    assert all(first == second for first, second in answers(one).values())


def test_the_answer_to_a_prompt_does_not_depend_on_the_padding_beside_it(policy, tmp_path):
    together = sampling(tmp_path / "together", policy, temperature=0, batch_size=100)
    alone = sampling(tmp_path / "alone", policy, temperature=0, batch_size=1)
    sample(together)
    sample(alone)
    assert answers(together) == answers(alone)


def test_goes_on_after_an_interruption_with_the_same_answers(policy, tmp_path):
    whole, cut = sampling(tmp_path / "whole", policy), sampling(tmp_path / "cut", policy)
    sample(whole)
    sample(cut)
    kept = (cut / "outputs.jsonl").read_bytes().splitlines(keepends=True)
    # Killed in the middle of a line, in the middle of a batch.
    (cut / "outputs.jsonl").write_bytes(b"".join(kept[:3]) + kept[3][:5])
    assert sample(cut) == 0
    assert answers(cut) == answers(whole)


def test_stops_when_cancelled_and_keeps_what_it_has(policy, tmp_path):
    folder = sampling(tmp_path, policy)
    (folder / "cancel").touch()
    assert sample(folder) == 0
    assert (folder / "cancelled.txt").exists()
    assert not (folder / "outputs.jsonl").exists()
    (folder / "cancel").unlink()
    assert sample(folder) == 0
    assert not (folder / "cancelled.txt").exists()
    assert len(answers(folder)) == 9


def test_kill_9_loses_no_whole_batch(policy, tmp_path):
    folder = sampling(tmp_path / "killed", policy, prompts=120, max_new_tokens=60)
    process = tiny.start("sample", folder)
    outputs = folder / "outputs.jsonl"
    while not (outputs.exists() and outputs.stat().st_size):
        assert process.poll() is None, (folder / "log.txt").read_text()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = answers(folder)
    assert 0 < len(before) < 120

    assert tiny.run("sample", folder) == 0
    whole = sampling(tmp_path / "whole", policy, prompts=120, max_new_tokens=60)
    assert tiny.run("sample", whole) == 0
    assert answers(folder) == answers(whole)
    assert answers(folder).items() >= before.items()


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"temperature": -1}, "Temperature must be at least 0, not -1."),
        ({"samples": 0}, "Samples must be at least 1, not 0."),
        ({"top_k": 5}, "There is no option “top_k”."),
        ({"model": "/nowhere/model"}, "There is no model at /nowhere/model."),
    ],
)
def test_says_in_one_sentence_what_it_cannot_do(policy, tmp_path, params, sentence):
    folder = sampling(tmp_path, policy, **params)
    assert tiny.run("sample", folder) == 1
    assert (folder / "problem.txt").read_text().startswith(sentence)


def test_a_reward_model_answers_nothing(tmp_path):
    reward = tiny.make_reward(tmp_path / "reward")
    folder = sampling(tmp_path / "run", reward)
    assert tiny.run("sample", folder) == 1
    assert "is not a language model" in (folder / "problem.txt").read_text()


def test_a_model_with_little_room_still_reads_the_whole_question(policy_folder):
    """Asked for more tokens than it has room for, it writes less; it does not read less."""
    from alignment.methods.loading import policy_of, tokenizer_of
    from alignment.sample import Sampling, complete

    tokenizer = tokenizer_of(policy_folder)
    model = policy_of(policy_folder, tokenizer)
    prompts = [[{"role": "user", "content": "What does the cat eat?"}]]
    room = model.config.max_position_embeddings
    few = complete(model, tokenizer, prompts, Sampling(temperature=0, max_new_tokens=8))
    model = policy_of(policy_folder, tokenizer)
    many = complete(model, tokenizer, prompts, Sampling(temperature=0, max_new_tokens=room))
    assert few[0][0]
    assert many[0][0].startswith(few[0][0])
