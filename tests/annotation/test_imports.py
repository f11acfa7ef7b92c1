import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from annotation import intake, run_import
from annotation.create_queue import create_queue
from annotation.models import Annotation, Import, Task
from annotation.receive_import import EmptyUpload, receive_import
from annotation.run_import import NotWaiting, cancel_import, import_later, start_import
from tests import make
from truing.models import Event

IMPORTS = "/p/demo/imports/"


def line(id, **values):
    return {
        "id": id,
        "prompt": [{"role": "user", "content": "Why <b>?"}],
        "outputs": [{"id": "a", "text": "So."}, {"id": "b", "text": ""}],
        "annotations": [{"annotator": "w1", "answer": {"tiers": [["a"], ["b"]]}}],
        **values,
    }


def file(*lines, name="votes.jsonl"):
    texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    return SimpleUploadedFile(name, b"\n".join(texts))


@pytest.fixture
def curator(client, clara):
    client.force_login(clara)
    return client


def upload(client, *lines, **values):
    return client.post(IMPORTS, {"file": file(*lines), "format": "feedback", **values})


def run(one):
    """As the worker does."""
    import_later(import_id=one.pk)
    one.refresh_from_db()
    return one


def test_shows_what_is_in_the_file_before_anything_comes_in(curator, project):
    response = upload(curator, line("1"), b"{", {"prompt": line("")["prompt"]})
    page = curator.get(response.url).content.decode()
    assert "3 lines: 2 can come in, 1 would be refused." in page
    assert "The line is not JSON." in page
    assert "becomes a question: Choose the better of two" in page
    assert "becomes a prompt without a question" in page
    assert "Why &lt;b&gt;?" in page
    assert not Task.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_comes_in_in_the_background_and_reports(curator, project, clara):
    address = upload(curator, line("1"), line("2", extra=1), line("3")).url
    one = Import.objects.get()
    curator.post(f"{address}start/")
    one.refresh_from_db()
    assert one.state == "waiting"
    [job] = ProcrastinateJob.objects.all()
    assert job.args == {"import_id": one.pk}
    assert "Waiting for a worker" in curator.get(address).content.decode()
    run(one)
    assert (one.state, one.report["tasks"], one.report["refused"]) == ("done", 2, 1)
    assert not one.file.exists()
    assert Event.objects.get(verb="feedback.import").actor == clara
    page = curator.get(address).content.decode()
    assert "A line cannot have “extra”" in page
    refusals = b"".join(curator.get(f"{address}refused/").streaming_content)
    assert json.loads(refusals)["line"] == 2


def test_is_started_once(project, clara):
    one = receive_import(project, file(line("1")), actor=clara)
    start_import(one, actor=clara)
    with pytest.raises(NotWaiting):
        start_import(one, actor=clara)
    assert ProcrastinateJob.objects.count() == 1


def test_may_run_twice_without_harm(project, clara):
    one = start_import(receive_import(project, file(line("1")), actor=clara), actor=clara)
    run(one)
    run(one)
    assert (one.state, Annotation.objects.count()) == ("done", 1)


def test_starts_over_after_a_worker_died(project, clara):
    one = start_import(
        receive_import(project, file(line("1"), line("2")), actor=clara), actor=clara
    )
    intake.import_file(project, file(line("1")))
    Import.objects.filter(pk=one.pk).update(state="running")
    run(one)
    assert (one.state, Task.objects.count(), Annotation.objects.count()) == ("done", 2, 2)


def test_can_be_discarded(curator, project):
    address = upload(curator, line("1")).url
    one = Import.objects.get()
    assert one.file.exists()
    assert curator.post(f"{address}cancel/", follow=True).status_code == 200
    one.refresh_from_db()
    assert one.state == "cancelled"


def test_a_cancelled_one_ends_after_the_lines_that_it_is_at(project, clara, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_LINES", 2)
    lines = [line(str(number)) for number in range(6)]
    one = start_import(receive_import(project, file(*lines), actor=clara), actor=clara)
    save = run_import._save

    def save_and_cancel(one, report):
        save(one, report)
        one.refresh_from_db()
        cancel_import(one, actor=clara)

    monkeypatch.setattr(run_import, "_save", save_and_cancel)
    run(one)
    assert (one.state, one.report["tasks"], Task.objects.count()) == ("cancelled", 2, 2)
    assert "What had come in before stays" in one.problem
    assert not one.file.exists()


def test_a_file_that_is_gone_fails_with_a_sentence(project, clara):
    one = start_import(receive_import(project, file(line("1")), actor=clara), actor=clara)
    one.file.unlink()
    run(one)
    assert one.state == "failed"
    assert "cannot be read" in one.problem


def test_puts_the_tasks_into_the_chosen_queue(curator, project):
    queue = create_queue(project, name="Mine", type="pairwise", actor=None)
    response = upload(curator, line("1"), queue=queue.pk)
    assert "into “Mine”" in curator.get(response.url).content.decode()
    one = Import.objects.get()
    curator.post(f"{response.url}start/")
    run(one)
    assert Task.objects.get().queue == queue


def test_a_queue_that_is_not_there_is_refused_and_nothing_is_kept(curator, project):
    stranger = create_queue(make.project("other"), name="Theirs", type="pairwise", actor=None)
    for named in (stranger.pk, 9**20, "Mine"):
        refused = upload(curator, line("1"), queue=named)
        assert refused.status_code == 422
        said = f"There is no queue {named} in this project. Choose one of the list."
        assert said in refused.content.decode()
    assert not Import.objects.exists()


def test_a_line_that_names_a_queue_is_refused_alone(curator, project):
    response = upload(curator, line("1"), line("2", queue="Nowhere"), line("3"))
    said = "A line cannot have “queue”; “meta” takes what else is known."
    preview = curator.get(response.url)
    assert preview.context["problems"] == [{"line": 2, "problem": said}]
    curator.post(f"{response.url}start/")
    report = run(Import.objects.get()).report
    assert (report["tasks"], report["refused"]) == (2, 1)
    assert report["problems"][0] == {"line": 2, "problem": said}


def test_the_name_of_a_file_is_never_a_path(curator, project):
    for name in (
        "../../etc/passwd",
        "..\\evil.jsonl",
        "a\x00b\u202e.jsonl",
        "x" * 300,
        "<b>.jsonl",
    ):
        one = receive_import(project, file(line("1"), name="ok"), actor=None)
        one.delete()
        sent = file(line("1"))
        sent._name = name
        one = receive_import(project, sent, actor=None)
        assert one.file.name == f"import-{one.pk}"
        assert not set(one.name) & set("/\\\x00\u202e")
        assert len(one.name) <= 200
    page = curator.get(IMPORTS).content.decode()
    assert "<b>.jsonl" not in page
    assert "passwd" in page


def test_refuses_an_upload_without_a_file(curator, project):
    for response in (curator.post(IMPORTS, {}), upload(curator, b"")):
        assert response.status_code == 422
    assert "Choose a file first." in curator.post(IMPORTS, {}).content.decode()
    with pytest.raises(EmptyUpload):
        receive_import(project, file(), actor=None)
    assert not Import.objects.exists()


def test_says_what_is_wrong_with_a_file_that_is_none(curator, project):
    page = curator.get(upload(curator, b"\x89PNG\r\n\x1a\n" + b"\x00" * 100).url).content.decode()
    assert "0 can come in" in page
    assert ">Import</button>" not in page
    page = curator.get(upload(curator, b"\n\n").url).content.decode()
    assert "There is no line in this file." in page


def test_files_that_nobody_said_yes_to_are_forgotten(project):
    old = receive_import(project, file(line("1")), actor=None)
    Import.objects.update(created_at=timezone.now() - timedelta(days=2))
    receive_import(project, file(line("1")), actor=None)
    old.refresh_from_db()
    assert old.state == "cancelled"
    assert not old.file.exists()


def test_one_file_is_not_seen_from_another_project(curator, project):
    stranger = receive_import(make.project("other"), file(line("1")), actor=None)
    assert curator.get(f"{IMPORTS}{stranger.pk}/").status_code == 404


def test_programs_send_files_too(curator, project):
    create_queue(project, name="Mine", type="pairwise", actor=None)
    api = "/api/projects/demo/imports/"
    sent = curator.post(api, {"file": file(line("1")), "queue": "Mine"})
    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    run(Import.objects.get())
    result = curator.get(f"{api}{sent.json()['id']}/").json()
    assert (result["state"], result["report"]["tasks"]) == ("done", 1)
    assert curator.post(api, {"file": file(line("1")), "queue": "None"}).status_code == 404
    assert curator.post(api, {"format": "feedback"}).status_code == 422


def test_its_queries_do_not_grow(curator, project, clara):
    counts = []
    for _ in range(2):
        for _ in range(5):
            receive_import(project, file(line("1")), actor=clara)
        with CaptureQueriesContext(connection) as queries:
            curator.get(IMPORTS)
        counts.append(len(queries))
    assert counts[0] == counts[1]
