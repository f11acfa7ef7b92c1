"""Serving a checkpoint: it answers, it is looked after, and it ends when it is told to."""

import json
import os
import shutil
import signal
import time

import pytest
from django.core.management import call_command
from django.urls import reverse

from alignment import look_after as looking
from alignment.backends import BACKENDS
from alignment.backends import State as Outcome
from alignment.follow import follow_all
from alignment.look_after import look_after
from alignment.models import Serving
from alignment.serve import CannotServe, NoRoom, NotServed, serve, stop_serving
from annotation.complete import EndpointFailed, complete
from annotation.models import Endpoint
from truing.models import Event

HELLO = [{"role": "user", "content": "What does the cat say?"}]

# Says that it listens, and is healthy, like the real one; takes no second to load.
FAKE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"INFO: Uvicorn running on http://127.0.0.1:{server.server_port} (Press CTRL+C)", flush=True)
server.serve_forever()
"""

# The real program, up to where it would load a model.
HOSTS = "from pathlib import Path; import sys; from alignment.host import host, run; "
HOSTS += "sys.exit(run(Path.cwd(), lambda: host(Path.cwd())))"


@pytest.fixture
def fake(monkeypatch):
    """A line of Python in place of the server."""

    def put(code=FAKE):
        real = type(BACKENDS["local"]).start
        monkeypatch.setattr(
            BACKENDS["local"],
            "start",
            lambda command, folder, env: real(
                BACKENDS["local"], [command[0], "-c", code], folder, env
            ),
        )

    put()
    return put


def until(serving, happened, seconds=30):
    deadline = time.monotonic() + seconds
    while not happened(serving):
        assert time.monotonic() < deadline, f"{serving.words}: {serving.problem}"
        look_after(serving)
        serving.refresh_from_db()
        time.sleep(0.05)
    return serving


def answers(serving):
    return serving.answers


def has_ended(serving):
    return serving.has_ended


def lives(serving):
    return BACKENDS["local"].state(serving.handle, serving.folder) == Outcome.RUNNING


@pytest.mark.django_db(transaction=True)
def test_a_real_one_answers_by_transformers_serve(project, base, erin):
    pytest.importorskip("fastapi")
    serving = until(serve(base, actor=erin), answers, seconds=120)
    endpoint = serving.endpoint
    assert (endpoint.source, endpoint.model, endpoint.is_on) == (
        base.source,
        f"checkpoint-{base.pk}",
        True,
    )
    said = "".join(complete(endpoint, HELLO, params={"max_tokens": 8}))
    assert isinstance(said, str)
    # Another's question, which came here by a port that was given twice, is not answered.
    endpoint.model = "checkpoint-0"
    with pytest.raises(EndpointFailed, match="requested 'checkpoint-0'"):
        list(complete(endpoint, HELLO))
    # Nobody but this machine hears it, and it loads no other model.
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    handle = serving.handle
    stop_serving(base, actor=erin)
    serving = until(serving, has_ended)
    assert (serving.state, serving.words) == ("cancelled", "stopped")
    assert BACKENDS["local"].state(handle, serving.folder) != Outcome.RUNNING
    endpoint.refresh_from_db()
    assert not endpoint.is_on
    verbs = list(Event.objects.order_by("pk").values_list("verb", flat=True))
    assert [verb for verb in verbs if not verb.startswith("checkpoint")] == [
        "serving.start",
        "endpoint.add",
        "serving.cancel",
        "endpoint.edit",
    ]


@pytest.mark.usefixtures("fake")
class TestServing:
    def test_one_that_is_served_is_not_served_twice(self, checkpoint, erin):
        model = checkpoint("one")
        serving = serve(model, actor=erin)
        assert serve(model, actor=erin) == serving
        until(serving, answers)
        assert serve(model, actor=erin) == serving
        assert Serving.objects.count() == 1

    def test_so_many_are_served_at_a_time(self, checkpoint, erin, settings):
        settings.SERVINGS = 1
        serve(checkpoint("one"), actor=erin)
        with pytest.raises(NoRoom):
            serve(checkpoint("two"), actor=erin)

    def test_what_writes_no_answers_is_not_served(self, checkpoint, erin):
        with pytest.raises(CannotServe, match="reward model"):
            serve(checkpoint("judge", kind="reward"), actor=erin)
        with pytest.raises(NotServed):
            stop_serving(checkpoint("one"), actor=erin)

    def test_why_it_cannot_be_served_names_the_model_and_no_place(self, checkpoint, erin):
        model = checkpoint("one")
        (model.folder / "config.json").write_text("{}")
        with pytest.raises(CannotServe, match="The model in “one” is") as refusal:
            serve(model, actor=erin)
        shutil.rmtree(model.folder)
        with pytest.raises(CannotServe, match="There is no model at “one”"):
            serve(model, actor=erin)
        assert str(model.folder) not in str(refusal.value)

    def test_one_that_is_killed_is_taken_up_again(self, checkpoint, erin):
        serving = until(serve(checkpoint("one"), actor=erin), answers)
        first, handle = serving.port, serving.handle
        endpoint = serving.endpoint
        os.killpg(int(handle.split(":")[0]), signal.SIGKILL)
        until(serving, lambda one: one.handle not in ("", handle) and one.answers)
        endpoint.refresh_from_db()
        assert endpoint.is_on
        assert str(serving.port) in endpoint.base_url
        assert serving.port != first or lives(serving)

    def test_one_that_outlives_everybody_is_found_again(self, checkpoint, erin):
        """The web and the worker may be killed at any moment: only the row and the folder stay."""
        serving = until(serve(checkpoint("one"), actor=erin), answers)
        again = Serving.objects.get(pk=serving.pk)
        follow_all()
        again.refresh_from_db()
        assert (again.handle, again.answers) == (serving.handle, True)

    def test_a_start_that_was_cut_short_starts_no_second_one(self, checkpoint, erin):
        serving = until(serve(checkpoint("one"), actor=erin), answers)
        handle = serving.handle
        # Whoever began it died before it was written down.
        Serving.objects.update(state="starting", handle="", answers=False, port=0)
        serving.refresh_from_db()
        until(serving, answers)
        assert serving.handle == handle

    def test_one_that_is_killed_over_and_over_waits_for_a_person(self, checkpoint, erin, fake):
        fake("import os; os.kill(os.getpid(), 9)")
        serving = until(serve(checkpoint("one"), actor=erin), has_ended)
        assert serving.state == "failed"
        assert "killed 3 times" in serving.problem

    def test_one_that_fails_says_why(self, checkpoint, erin, fake):
        fake("open('problem.txt', 'w').write('It has no tokenizer.'); raise SystemExit(1)")
        serving = until(serve(checkpoint("one"), actor=erin), has_ended)
        assert (serving.state, serving.problem) == ("failed", "It has no tokenizer.")

    def test_one_whose_files_are_gone_when_it_is_taken_up_again_says_so(
        self, checkpoint, erin, fake
    ):
        model = checkpoint("one")
        serving = until(serve(model, actor=erin), answers)
        shutil.rmtree(model.folder)
        fake(HOSTS)
        os.killpg(int(serving.handle.split(":")[0]), signal.SIGKILL)
        until(serving, has_ended)
        assert serving.problem.startswith("The files of the checkpoint are gone")

    def test_one_that_does_not_say_that_it_is_well_is_shown_so(self, checkpoint, erin, monkeypatch):
        serving = until(serve(checkpoint("one"), actor=erin), answers)
        monkeypatch.setattr(looking, "_is_healthy", lambda port: False)
        look_after(serving)
        serving.refresh_from_db()
        assert serving.words == "not answering"
        assert Endpoint.objects.get().is_on  # it may only be busy

    def test_one_that_is_stopped_while_it_starts_never_answers(self, checkpoint, erin):
        model = checkpoint("one")
        serving = serve(model, actor=erin)
        stop_serving(model, actor=erin)
        until(serving, has_ended)
        assert serving.words == "stopped"
        assert not Endpoint.objects.exists()

    def test_served_again_it_is_the_same_endpoint(self, checkpoint, erin):
        model = checkpoint("one")
        ids = set()
        for _ in range(2):
            serving = until(serve(model, actor=erin), answers)
            ids.add(serving.endpoint_id)
            stop_serving(model, actor=erin)
            until(serving, has_ended)
        assert len(ids) == 1

    def test_an_engineer_serves_and_stops_it_from_its_page(self, client, checkpoint, erin, rita):
        model = checkpoint("one")
        page = reverse("checkpoint", args=["demo", model.pk])
        client.force_login(erin)
        shown = client.post(reverse("checkpoint_serve", args=["demo", model.pk]), follow=True)
        assert "is being loaded." in shown.content.decode()
        until(Serving.objects.get(), answers)
        assert "people can chat with it through" in client.get(page).content.decode()
        fragment = client.get(page + "?part=serving", HTTP_HX_REQUEST="true").content.decode()
        assert fragment.strip().startswith("<section")
        served = client.get(reverse("api_servings", args=["demo"])).json()["results"]
        assert (served[0]["state"], served[0]["answers"]) == ("answers", True)
        client.force_login(rita)
        assert (
            "Stop"
            not in client.get(page + "?part=serving", HTTP_HX_REQUEST="true").content.decode()
        )
        client.force_login(erin)
        client.post(reverse("checkpoint_stop", args=["demo", model.pk]))
        until(Serving.objects.get(), has_ended)
        assert "It answers no requests." in client.get(page).content.decode()

    def test_the_command_stays_until_it_answers_and_until_it_has_ended(self, checkpoint, capsys):
        checkpoint("one")

        def said(*words):
            call_command("serve", "one", "--project", "demo", "--json", *words)
            return json.loads(capsys.readouterr().out.splitlines()[-1])

        assert said("--status")["serving"] is None
        assert said()["answers"] is True
        assert said("--status")["state"] == "answers"
        assert said("--stop")["state"] == "stopped"
