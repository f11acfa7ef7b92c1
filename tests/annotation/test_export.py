"""Exporting a version: files, containers, lengths, and what two trainers make of the rows."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from annotation.aggregators import AGGREGATORS
from annotation.export import DoesNotFit, FolderInUse, NoFolder, export, export_answers, lines_of
from annotation.freeze import freeze
from annotation.measure import NoTokenizer
from tests import make
from truing.errors import Invalid
from truing.plugins import UnknownPlugin
from truing.storage import DiskFull

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture
def version(project):
    """Six pairs for training, two for evaluation, one of them with an empty output."""
    for number in range(8):
        task = make.task(
            project, outputs=(f"a good answer {number}", "" if number == 7 else "a bad answer")
        )
        split = "eval" if number > 5 else "train"
        type(task.prompt).objects.filter(pk=task.prompt.pk).update(split=split)
        make.vote(task, "a", "b")
    return freeze(project, name="first", kind="preference", actor=None)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def lines_in(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_writes_a_file_for_each_split_that_has_rows(version, out):
    written = export(version, "trl_preference", out)
    assert sorted(path.name for path in out.iterdir()) == [
        "eval.jsonl",
        "train.jsonl",
    ]
    assert written["rows"] == {"train": 6, "eval": 2, "review": 0}
    rows = lines_in(out / "eval.jsonl")
    assert rows[1]["chosen"] == [{"role": "assistant", "content": "a good answer 7"}]
    assert rows[1]["rejected"] == [{"role": "assistant", "content": ""}]


def test_parquet_holds_the_same(version, out):
    from pyarrow.parquet import read_table

    export(version, "trl_preference", out, container="jsonl")
    export(version, "trl_preference", out, container="parquet")
    assert read_table(out / "train.parquet").to_pylist() == lines_in(out / "train.jsonl")


def test_writing_again_replaces_what_it_wrote(version, out):
    export(version, "trl_preference", out)
    export(version, "trl_prompts", out)
    assert list(lines_in(out / "train.jsonl")[0]) == ["prompt"]
    assert len(list(out.iterdir())) == 2


def test_does_not_stand_beside_a_file_of_another_version(version, out):
    (out / "review.jsonl").write_text("{}\n")
    with pytest.raises(FolderInUse, match="already holds review.jsonl"):
        export(version, "trl_preference", out)
    assert [path.name for path in out.iterdir()] == ["review.jsonl"]


def test_bad_input_gets_a_sentence_and_writes_nothing(version, tmp_path):
    (tmp_path / "a_file").write_text("")
    for refusal, sentence, given in (
        (UnknownPlugin, "There is no format “poem”", {"format": "poem"}),
        (DoesNotFit, "cannot hold a dataset of kind pref", {"format": "trl_language_modeling"}),
        (Invalid, "There is no container “csv”", {"container": "csv"}),
        (Invalid, "must be at least 1", {"max_length": 0}),
        (NoTokenizer, "no folder", {"max_length": 5, "tokenizer": "/nowhere"}),
        (NoTokenizer, "holds no tokenizer", {"max_length": 5, "tokenizer": str(tmp_path)}),
        (NoFolder, "not a folder", {"out": tmp_path / "a_file"}),
    ):
        values = {"format": "trl_preference", "out": tmp_path / "out", **given}
        with pytest.raises(refusal, match=sentence):
            export(version, values.pop("format"), values.pop("out"), **values)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_takes_no_file_gets_a_sentence(project, version):
    """This one lets nobody write, whoever they are."""
    with pytest.raises(NoFolder, match="^/proc is not a folder that can be written to.$"):
        export(version, "trl_preference", Path("/proc"))
    with pytest.raises(NoFolder):
        export_answers(project, Path("/proc"))


def test_a_full_disk_leaves_nothing_half(version, out):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(DiskFull):
            export(version, "trl_preference", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(out.iterdir()) == []


def test_says_how_many_rows_are_too_long_by_estimate(project, out):
    task = make.task(project, outputs=("x" * 400, "y"), prompt_text="z" * 40)
    make.vote(task, "a", "b")
    short = make.task(project, outputs=("x", "y"), prompt_text="z" * 40)
    make.vote(short, "a", "b")
    version = freeze(project, name="lengths", kind="preference", actor=None)
    lengths = export(version, "trl_preference", out, max_length=109)["lengths"]
    assert sum(lengths["longer"].values()) == 1
    assert lengths["longest"] == 110
    assert "estimated" in lengths["measured_in"]
    assert lengths["sentence"].startswith("By estimate, 1 rows are longer than 109 tokens")
    lengths = export(version, "trl_preference", out, max_length=110)["lengths"]
    assert sum(lengths["longer"].values()) == 0


def test_lines_are_the_same_as_those_of_the_file(version, out):
    export(version, "trl_preference", out)
    streamed = b"".join(lines_of(version, "trl_preference", "train"))
    assert streamed == (out / "train.jsonl").read_bytes()


def test_commands_freeze_and_export(project, version, tmp_path, capsys):
    call_command(
        "freeze", "--project", "demo", "--kind", "preference", "--name", "second", "--json"
    )
    frozen = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert frozen["version"] == "demo/second@1"
    assert frozen["rows"] == {"train": 6, "eval": 2, "review": 0}
    assert frozen["digest"] == version.digest
    out = tmp_path / "out"
    call_command(
        "export", frozen["version"], "--format", "trl_preference", "--out", str(out), "--json"
    )
    exported = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert exported["rows"] == frozen["rows"]
    assert len(lines_in(out / "train.jsonl")) == 6


def test_feedback_of_a_version_is_its_tasks_with_all_their_answers(version, out):
    written = export(version, "feedback", out)
    assert written["rows"] == {"train": 6, "eval": 2, "review": 0}
    line = lines_in(out / "eval.jsonl")[1]
    assert [output["text"] for output in line["outputs"]] == ["a good answer 7", ""]
    assert line["annotations"][0]["annotator"] == "w1"


def test_feedback_names_a_task_once_that_gave_several_rows(project, out):
    task = make.task(project, type="ranking", outputs=("x", "y", "z"))
    make.vote(task, "a", "b", "c")
    version = freeze(project, name="ranked", kind="preference", actor=None)
    assert sum(version.manifest["rows"].values()) == 3
    assert sum(export(version, "feedback", out)["rows"].values()) == 1


def test_feedback_of_a_project_comes_back_as_it_went(project, version, out, tmp_path):
    from annotation.intake import import_file

    call_command("export", "demo", "--format", "feedback", "--out", str(out))
    other = make.project("other")
    import_file(other, out / "feedback.jsonl")
    call_command("export", "other", "--format", "feedback", "--out", str(tmp_path / "again"))
    assert lines_in(tmp_path / "again" / "feedback.jsonl") == lines_in(out / "feedback.jsonl")
    again = freeze(other, name="first", kind="preference", actor=None)
    assert again.manifest["counts"]["decided"] == 8


def test_the_same_answers_give_the_same_digest_after_export_and_import(project, tmp_path):
    from annotation.intake import import_file

    for number in range(5):
        task = make.task(project, outputs=(f"good {number}", "bad"))
        make.vote(task, "a", "b", by="w1", strength=2)
        make.vote(task, "ab", by="w2", all_bad=True)
        make.vote(task, "a", "b", by="w3")
    call_command("export", "demo", "--format", "feedback", "--out", str(tmp_path))
    other = make.project("other")
    import_file(other, tmp_path / "feedback.jsonl")
    for aggregator in AGGREGATORS:
        one, two = (
            freeze(
                where,
                name=aggregator,
                kind="preference",
                recipe={"aggregator": aggregator},
                actor=None,
            )
            for where in (project, other)
        )
        assert one.digest == two.digest


def test_feedback_can_be_parquet_and_of_one_queue(project, version, out):
    from pyarrow.parquet import read_table

    make.vote(make.task(project, queue=make.queue(project, "Other")), "a", "b")
    given = ["--format", "feedback", "--out", str(out), "--container", "parquet"]
    call_command("export", "demo", "--queue", "Other", *given)
    [line] = read_table(out / "feedback.parquet").to_pylist()
    assert json.loads(line["annotations"])[0]["answer"] == {"tiers": [["a"], ["b"]]}


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A model of a few thousand parameters that speaks characters, made on the spot."""
    pytest.importorskip("trl")
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    words = ["<eos>", "<unk>", *map(chr, range(32, 127))]
    inner = Tokenizer(
        models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>")
    )
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<eos>", pad_token="<eos>", unk_token="<unk>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        pad_token_id=0,
        eos_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("method", ["reward", "dpo"])
def test_trl_takes_the_rows_as_they_are(version, tmp_path, tiny_model, method, monkeypatch):
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer

    export(version, "trl_preference", tmp_path / "out")
    rows = load_dataset(
        "json",
        data_files={"train": str(tmp_path / "out" / "train.jsonl")},
        cache_dir=str(tmp_path / "cache"),
    )["train"]
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    settings = {
        "output_dir": str(tmp_path / "run"),
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "bf16": False,
        "use_cpu": True,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": False,
        "report_to": "none",
        "save_strategy": "no",
    }
    if method == "reward":
        model = AutoModelForSequenceClassification.from_pretrained(tiny_model, num_labels=1)
        trainer = RewardTrainer(
            model=model,
            args=RewardConfig(**settings),
            train_dataset=rows,
            processing_class=tokenizer,
        )
    else:
        trainer = DPOTrainer(
            model=str(tiny_model),
            args=DPOConfig(**settings),
            train_dataset=rows,
            processing_class=tokenizer,
        )
    assert len(trainer.train_dataset) == 6
    result = trainer.train()
    assert result.global_step == 1
    assert result.training_loss > 0


def test_counts_the_tokens_of_a_model(version, out, tiny_model):
    lengths = export(version, "trl_preference", out, max_length=20, tokenizer=str(tiny_model))[
        "lengths"
    ]
    assert lengths["measured_in"] == "tokens"
    # "<user>Question N?<eos><assistant>a good answer N<eos>", a character a token.
    wanted = max(
        len("<user>") + len(row["prompt"][0]["content"]) + 1 + len("<assistant>") + len(said) + 1
        for split in ("train", "eval")
        for row in map(json.loads, lines_of(version, "trl_preference", split))
        for said in (row["chosen"][0]["content"],)
    )
    assert lengths["longest"] == wanted
    assert lengths["longer"] == {"train": 6, "eval": 2}
