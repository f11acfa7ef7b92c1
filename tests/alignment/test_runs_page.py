"""The pages of runs: a list that costs the same, a form that explains itself, live curves."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alignment.metrics import curves, last_line, log_tail, seconds_left
from alignment.models import Run
from truing.make_token import make_token

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(client, erin):
    client.force_login(erin)

    def get(name, *args, query="", **headers):
        return client.get(reverse(name, args=["demo", *args]) + query, **headers)

    return get


@pytest.fixture
def send(client, erin):
    client.force_login(erin)

    def post(view, *args, **values):
        return client.post(reverse(view, args=["demo", *args]), values)

    return post


@pytest.fixture
def run(project, erin):
    made = Run.objects.create(
        project=project,
        method="dpo",
        name="polite",
        options={"beta": 0.3},
        created_by=erin,
        state="running",
        attempt=1,
    )
    made.folder.mkdir(parents=True)
    return made


def write_metrics(run, count, **metrics):
    with (run.folder / "metrics.jsonl").open("a") as file:
        for step in range(1, count + 1):
            line = {"step": step, "total": 2 * count, "at": step * 3.0, "loss": 1 / step}
            file.write(json.dumps(line | metrics) + "\n")


def queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_list_costs_the_same_with_more_runs(client, erin, project, demonstrations, checkpoint):
    client.force_login(erin)

    def add(number):
        made = Run.objects.create(
            project=project, method="sft", name=f"run {number}", base=checkpoint(f"b{number}")
        )
        made.datasets.set([demonstrations])

    add(1)
    address = reverse("runs", args=["demo"])
    queries(client, address)
    few = queries(client, address)
    for number in range(2, 12):
        add(number)
    assert queries(client, address) == few


def test_an_empty_list_says_what_to_do(page):
    assert "No runs yet" in page("runs").content.decode()


def test_a_reviewer_looks_and_starts_nothing(client, rita, run):
    client.force_login(rita)
    content = client.get(reverse("runs", args=["demo"])).content.decode()
    assert "polite" in content
    assert reverse("new_run", args=["demo"]) not in content
    one = client.get(reverse("run", args=["demo", run.pk])).content.decode()
    assert reverse("run_cancel", args=["demo", run.pk]) not in one


@pytest.mark.parametrize("method", ["pretrain", "sft", "reward", "dpo", "ppo"])
def test_every_method_has_its_form(page, method):
    content = page("new_run", query=f"?method={method}").content.decode()
    assert 'name="option.learning_rate"' in content
    assert ('name="reward"' in content) == (method == "ppo")


def test_an_unknown_method_is_not_found(page):
    assert page("new_run", query="?method=magic").status_code == 404


def test_the_form_launches_a_run(send, demonstrations, checkpoint):
    base = checkpoint("base")
    answer = send(
        "new_run",
        **{
            "method": "sft",
            "datasets": demonstrations.pk,
            "base": base.pk,
            "option.max_steps": "5",
            "option.learning_rate": "0.001",
            "name": "mine",
            "backend": "local",
        },
    )
    run = Run.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("run", args=["demo", run.pk])
    assert (run.name, run.base, run.options["max_steps"]) == ("mine", base, 5)
    assert run.review_after is False, "a box that is not ticked is not sent"


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    send, demonstrations, checkpoint
):
    answer = send(
        "new_run",
        **{
            "method": "sft",
            "datasets": demonstrations.pk,
            "base": checkpoint("base").pk,
            "option.learning_rate": "7",
            "option.max_steps": "123",
        },
    )
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "Learning rate must be at most 1, not 7." in content
    assert content.count("Learning rate must be at most") == 1
    assert 'value="123"' in content
    assert f'value="{demonstrations.pk}" checked' in content
    assert not Run.objects.exists()


def test_what_belongs_to_no_field_stands_on_top(send, checkpoint):
    answer = send("new_run", method="sft", base=checkpoint("base").pk)
    assert answer.status_code == 422
    assert "Choose at least one dataset version" in answer.content.decode()


@pytest.mark.parametrize("key", ["999999", "x", "-1", "1" * 40])
def test_what_was_never_offered_is_refused(send, demonstrations, key):
    answer = send("new_run", method="sft", datasets=demonstrations.pk, base=key)
    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_an_earlier_run_gives_its_options(page, run, demonstrations):
    content = page("new_run", query=f"?like={run.pk}").content.decode()
    assert 'value="0.3"' in content


def test_the_page_of_a_run_is_live_until_it_ends(page, run):
    write_metrics(run, 20)
    run.step, run.total_steps = 20, 40
    run.save()
    content = page("run", run.pk).content.decode()
    assert "every 2s" in content
    assert "step 20 of 40" in content
    assert "about 1 min 0 s left" in content
    Run.objects.update(state="succeeded")
    assert "every 2s" not in page("run", run.pk).content.decode()
    fragment = page("run", run.pk, **HTMX)
    assert fragment["HX-Refresh"] == "true"


def test_the_curves_come_as_the_charts_read_them(page, run):
    write_metrics(run, 3, rewards_margins=0.5)
    found = page("run_metrics", run.pk).json()
    assert found["series"]["loss"] == [[1, 1.0], [2, 0.5], [3, 1 / 3]]
    assert list(found["series"]) == ["loss", "rewards_margins"]
    assert found["done"] is False


def test_a_run_that_has_written_nothing_has_no_curves(page, run):
    assert page("run_metrics", run.pk).json() == {"series": {}, "done": False}


def test_a_long_run_is_thinned_and_keeps_its_last_step(run):
    write_metrics(run, 20_000)
    found = curves(run.folder, points=500)["loss"]
    assert 400 < len(found) < 1100
    assert found[0][0] == 1
    assert found[-1][0] == 20_000
    assert last_line(run.folder)["step"] == 20_000


def test_half_a_line_is_not_read(run):
    write_metrics(run, 3)
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "tot')
    assert last_line(run.folder)["step"] == 3
    assert len(curves(run.folder)["loss"]) == 3


def test_nobody_knows_the_time_left_before_the_second_step(run):
    write_metrics(run, 1)
    assert seconds_left(run.folder) is None


def test_the_log_is_shown_as_a_person_reads_it(run):
    (run.folder / "log.txt").write_bytes(b"1 %\r50 %\r100 %\n\x1b[31mred\x1b[0m \xff\nend\n")
    assert log_tail(run.folder) == "100 %\nred \ufffd\nend"


def test_a_log_cannot_write_into_the_page(page, run):
    (run.folder / "log.txt").write_text("<script>alert(1)</script>")
    content = page("run", run.pk).content.decode()
    assert "<script>alert" not in content


def test_cancel_and_resume_from_the_page(send, run):
    Run.objects.update(state="queued")
    assert send("run_cancel", run.pk).status_code == 302
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert send("run_resume", run.pk).status_code == 302
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_a_program_launches_and_follows_a_run(client, erin, demonstrations, checkpoint):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {make_token(erin, name='test')[1]}"}
    body = {
        "method": "sft",
        "datasets": [demonstrations.pk],
        "base": checkpoint("base").pk,
        "options": {"max_steps": 5},
    }
    address = reverse("api_runs", args=["demo"])

    def post(**changed):
        return client.post(
            address, json.dumps({**body, **changed}), content_type="application/json", **headers
        )

    made = post()
    assert made.status_code == 201, made.content
    assert made.json()["datasets"] == ["demo/demonstrations@1"]
    found = client.get(address, **headers).json()["results"]
    assert [run["state"] for run in found] == ["queued"]
    refused = post(options={"max_steps": -3})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("Max steps must be at least")
    assert post(datasets=[999]).status_code == 422
    assert post(colour="red").status_code == 422
    assert Run.objects.count() == 1


def test_a_program_reads_what_each_method_takes(client, erin, project):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {make_token(erin, name='test')[1]}"}
    found = client.get(reverse("api_methods", args=["demo"]), **headers).json()
    ppo = next(item for item in found if item["name"] == "ppo")
    assert ppo["needs_reward"] is True
    assert ppo["options"]["properties"]["learning_rate"]["type"] == "number"


def test_runs_are_found_by_name_method_and_state(page, project):
    for name, method, state in (
        ("first words", "sft", "succeeded"),
        ("kinder", "dpo", "failed"),
        ("kinder again", "dpo", "succeeded"),
    ):
        Run.objects.create(project=project, name=name, method=method, state=state)

    def found(query):
        return [line["run"].name for line in page("runs", query=query).context["runs"]]

    assert found("") == ["kinder again", "kinder", "first words"]
    assert found("?q=KIND") == ["kinder again", "kinder"]
    assert found("?method=dpo&state=failed") == ["kinder"]
    assert found("?state=running") == []
    assert "Nothing fits" in page("runs", query="?q=nothing").content.decode()
