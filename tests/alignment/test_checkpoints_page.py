"""The pages of checkpoints: the line of models, back to every vote, and the files to take away."""

import io
import itertools
import tarfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alignment.ancestry import ancestry, behind
from alignment.models import Checkpoint, Generation, Promotion, Review, Run
from annotation.freeze import freeze
from annotation.models import Prompt
from tests import make


@pytest.fixture
def made(project, checkpoint):
    """A checkpoint that a run made from data and a base, with a reward model where there is one."""

    def make_it(name, *versions, base=None, reward=None, kind="policy"):
        found = checkpoint(name, kind)
        run = Run.objects.create(
            project=project, method="sft", name=name, base=base, reward=reward, state="succeeded"
        )
        run.datasets.set(versions)
        found.run, found.parent = run, base
        found.save()
        return found

    return make_it


@pytest.fixture
def page(client, erin):
    client.force_login(erin)
    return lambda name, *args: client.get(reverse(name, args=["demo", *args]))


@pytest.fixture
def send(client, erin):
    client.force_login(erin)
    return lambda name, *args, **values: client.post(reverse(name, args=["demo", *args]), values)


def test_the_line_leads_back_to_the_first_model(made, checkpoint, demonstrations, preferences):
    base = checkpoint("base")
    sft = made("sft", demonstrations, base=base)
    judge = made("judge", preferences, base=sft, kind="reward")
    ppo = made("ppo", preferences, base=sft, reward=judge)
    line = ancestry(ppo)
    assert [str(item.checkpoint) for item in line] == ["ppo", "sft", "base"]
    assert line[0].reward.checkpoint == judge
    assert line[0].datasets == [preferences]
    found = behind(line)
    assert (found.annotations, found.annotators) == (8, 1), "the same votes count once"


def test_votes_and_people_of_several_versions_count_once_each(made, project, preferences):
    again = make.task(project, outputs=("yes", "no"))
    make.vote(again, "a", "b", by="w1")
    make.vote(again, "a", "b", by="w2")
    more = freeze(project, name="more", kind="preference", actor=None)
    first = made("first", preferences)
    second = made("second", more, base=first)
    assert more.manifest["annotations"] == 10
    found = behind(ancestry(second))
    assert (found.annotations, found.annotators) == (10, 2)


def test_the_page_shows_where_it_comes_from(page, made, checkpoint, preferences, erin):
    base = checkpoint("the base")
    dpo = made("the dpo", preferences, base=base)
    other = checkpoint("the baseline")
    Review.objects.create(
        project=dpo.project, candidate=dpo, baseline=other, prompts=[], state="finished"
    )
    Promotion.objects.create(
        project=dpo.project, checkpoint=dpo, reason="Kindest of all.", decided_by=erin
    )
    content = page("checkpoint", dpo.pk).content.decode()
    for said in ("the base", "preferences@1", "8 votes", "1 annotator", "Kindest of all."):
        assert said in content
    version = reverse("version", args=["demo", "preferences", 1])
    assert f"{version}#rows" in content, "back to each vote"
    assert "the baseline" in content


def queries(client, address):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_list_costs_the_same_with_more_checkpoints(client, erin, made, demonstrations):
    client.force_login(erin)
    address = reverse("checkpoints", args=["demo"])
    first = made("first", demonstrations)
    queries(client, address)
    few = queries(client, address)
    for number in range(10):
        made(f"more {number}", demonstrations, base=first)
    assert queries(client, address) == few


def test_a_page_costs_the_same_with_more_reviews_and_generations(client, erin, made, checkpoint):
    client.force_login(erin)
    one = made("one")
    address = reverse("checkpoint", args=["demo", one.pk])

    def add(number):
        Review.objects.create(
            project=one.project,
            candidate=one,
            baseline=checkpoint(f"b{number}"),
            prompts=[],
            state="finished",
        )
        Generation.objects.create(project=one.project, checkpoint=one, prompts=[])

    add(0)
    queries(client, address)
    few = queries(client, address)
    for number in range(1, 8):
        add(number)
    assert queries(client, address) == few


def archive_of(response):
    content = b"".join(response.streaming_content)
    assert len(content) == int(response["Content-Length"])
    return tarfile.open(fileobj=io.BytesIO(content))


def test_its_files_are_sent_as_one(page, checkpoint):
    model = checkpoint("My model")
    (model.folder / "tokenizer.json").write_text("x" * 1000)
    response = page("checkpoint_download", model.pk)
    assert response["Content-Disposition"] == 'attachment; filename="my-model.tar"'
    files = archive_of(response)
    assert sorted(files.getnames()) == [
        "model/config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
    ]
    weights = files.extractfile("model/model.safetensors").read()
    assert weights == (model.folder / "model.safetensors").read_bytes()


def test_only_what_belongs_to_a_model_is_sent(page, checkpoint):
    model = checkpoint("model")
    model_files = (
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
        "adapter_config.json",
        "chat_template.jinja",
        "additional_chat_templates/tools.jinja",
        "merges.txt",
        "vocab.json",
    )
    others = (".env", "notes.txt", "keys.json", "pytorch_model.bin", "deeper/config.json")
    for name in (*model_files, *others):
        file = model.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("hidden treasure")
    sent = archive_of(page("checkpoint_download", model.pk)).getnames()
    always = ("config.json", "model.safetensors")
    assert sent == sorted(f"model/{name}" for name in (*model_files, *always))


def test_links_lead_nowhere(page, checkpoint, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("hidden treasure")
    model = checkpoint("model")
    (model.folder / "tokenizer.json").symlink_to(tmp_path / "secret" / "key")
    (tmp_path / "secret" / "tools.jinja").write_text("hidden treasure")
    (model.folder / "additional_chat_templates").symlink_to(tmp_path / "secret")
    response = page("checkpoint_download", model.pk)
    assert sorted(archive_of(response).getnames()) == [
        "model/config.json",
        "model/model.safetensors",
    ]


def test_a_large_file_is_never_in_memory(page, checkpoint):
    model = checkpoint("model")
    with (model.folder / "large.safetensors").open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: it takes no room
    response = page("checkpoint_download", model.pk)
    pieces = iter(response.streaming_content)
    assert max(len(next(pieces)) for _ in range(20)) <= 2**20
    response.close()


def test_a_file_of_more_than_8_gib_is_announced_in_full(page, checkpoint):
    model = checkpoint("model")
    large = model.folder / "large.safetensors"
    with large.open("wb") as file:
        file.truncate(9 * 2**30)  # a hole: it takes no room
    response = page("checkpoint_download", model.pk)
    sent = io.BytesIO(b"".join(itertools.islice(response.streaming_content, 10)))
    response.close()
    with tarfile.open(fileobj=sent, mode="r|") as files:
        sizes = {entry.name: entry.size for entry in itertools.islice(files, 2)}
    assert sizes["model/large.safetensors"] == 9 * 2**30
    small = (model.folder / "config.json", model.folder / "model.safetensors")
    assert int(response["Content-Length"]) > 9 * 2**30 + sum(f.stat().st_size for f in small)


def test_a_long_name_is_sent_whole(page, checkpoint):
    model = checkpoint("model")
    name = f"{'länger' * 30}.safetensors"
    (model.folder / name).write_text("weights")
    files = archive_of(page("checkpoint_download", model.pk))
    assert files.extractfile(f"model/{name}").read() == b"weights"


def test_what_is_not_here_cannot_be_sent(page, project):
    model = Checkpoint.objects.create(project=project, name="hub", kind="policy", path="o/model")
    assert page("checkpoint_download", model.pk).status_code == 409


def test_a_name_on_the_hub_is_added(send, settings):
    settings.ALLOW_HUB = True
    assert send("checkpoint_add", path="owner/model", kind="policy").status_code == 302
    assert Checkpoint.objects.get().path == "owner/model"


def test_the_page_says_whether_the_hub_is_allowed(page, send, settings):
    says = "Here nothing is fetched until the server is started with"
    assert says in page("checkpoints").content.decode()
    refusal = send("checkpoint_add", path="owner/model", kind="policy")
    assert refusal.status_code == 422
    assert "TRUING_ALLOW_HUB=1" in refusal.content.decode()
    settings.ALLOW_HUB = True
    assert says not in page("checkpoints").content.decode()


@pytest.mark.parametrize("path", ["/etc", "../etc", "gpt2", "", "a/b/c"])
def test_nobody_looks_into_the_servers_folders_from_a_page(send, path):
    assert send("checkpoint_add", path=path).status_code == 422
    assert not Checkpoint.objects.exists()


def test_a_folder_where_the_server_stands_is_no_model_of_the_hub(
    send, client, erin, fake_model, monkeypatch, tmp_path, settings
):
    """It may lie there under a name that reads like one on the hub."""
    settings.ALLOW_HUB = True
    fake_model("owner/model", architecture="LlamaForSequenceClassification")
    monkeypatch.chdir(tmp_path)
    assert send("checkpoint_add", path=" owner/model ", kind="policy").status_code == 302
    api = reverse("api_checkpoints", args=["demo"])
    asked = {"path": "owner/model", "name": "by a program"}
    assert client.post(api, asked, content_type="application/json").status_code == 201
    for added in Checkpoint.objects.all():
        assert (added.path, added.kind, added.facts) == ("owner/model", "policy", {})
    for path in ("/etc", "owner", "..", str(tmp_path / "owner/model")):
        answer = client.post(api, {"path": path}, content_type="application/json")
        assert answer.status_code == 422
        assert str(tmp_path) not in answer.content.decode()
        assert str(tmp_path) not in send("checkpoint_add", path=path).content.decode()


def test_it_is_asked_to_answer(send, project, checkpoint):
    for number in range(3):
        make.prompt(project, f"Question {number}?", split=Prompt.Split.TRAIN)
    model = checkpoint("model")
    answer = send("checkpoint_generate", model.pk, split="train", samples="2", limit="2")
    assert answer.status_code == 302
    found = Generation.objects.get()
    assert (found.samples, len(found.prompts)) == (2, 2)
    for wrong in (
        {"samples": "x"},
        {"samples": "1", "limit": "0"},
        {"samples": "1", "split": "no"},
    ):
        assert send("checkpoint_generate", model.pk, **wrong).status_code == 422
    assert Generation.objects.count() == 1


def test_it_is_promoted_with_a_reason(send, project, checkpoint, erin):
    model = checkpoint("model")
    assert send("checkpoint_promote", model.pk, reason=" ").status_code == 422
    assert send("checkpoint_promote", model.pk, reason="The first.").status_code == 302
    assert Promotion.objects.in_force(project).decided_by == erin


def test_the_page_says_what_stands_in_the_way(page, checkpoint, project, erin):
    old, new = checkpoint("old"), checkpoint("new")
    Promotion.objects.create(project=project, checkpoint=old, reason="first", decided_by=erin)
    content = page("checkpoint", new.pk).content.decode()
    assert "It needs a finished review against old first." in content
    assert reverse("checkpoint_promote", args=["demo", new.pk]) not in content


def test_checkpoints_are_found_by_name_and_kind(client, erin, checkpoint):
    checkpoint("big one")
    checkpoint("judge", kind="reward")
    client.force_login(erin)

    def found(**asked):
        response = client.get(reverse("checkpoints", args=["demo"]), asked)
        return [one.name for one in response.context["checkpoints"]]

    assert found() == ["judge", "big one"]
    assert found(q="BIG") == ["big one"]
    assert found(kind="reward") == ["judge"]
    assert found(q="big", kind="reward") == []
