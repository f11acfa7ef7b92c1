"""People at a chat with the models that answer them, a dispute, and votes to freeze."""

import pytest

from annotation.assign import next_assignment
from annotation.submit import submit
from tests import make
from tests.annotation.disputes import A, B
from tests.annotation.talk import Person
from tests.model_server import ModelServer


@pytest.fixture
def serve(project):
    """Endpoints by name, behind each of which somebody behaves like this."""
    servers = []

    def start(**behaviours):
        found = []
        for name, behave in behaviours.items():
            server = ModelServer(behave)
            servers.append(server)
            found.append(make.endpoint(project, name, base_url=server.url, timeout_seconds=1))
            found[-1].server = server
        return found

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def chat(project, alice):
    """Alice at a chat of her own."""

    def start(prompt=False, **options):
        queue = make.queue(project, "Chats", type="chat", options=options)
        task = make.task(project, queue=queue, type="chat", outputs=())
        if not prompt:
            task.prompt = None
            task.save()
        return Person(project, alice, queue)

    return start


@pytest.fixture
def differing(project, alice, bob):
    """Alice and Bob answered, each otherwise."""
    task = make.task(project, queue=make.queue(project, overlap=2), answers=2)
    given = [
        submit(next_assignment(project, person), answer, key=person.name, reason=f"{person.name}!")
        for person, answer in ((alice, A), (bob, B))
    ]
    return task, *given


@pytest.fixture
def judged(project):
    """One task on which three of four people prefer the first output."""
    task = make.task(project, outputs=("good", "bad"))
    for name in ("w1", "w2", "w3"):
        make.vote(task, "a", "b", by=name, strength=2)
    make.vote(task, "b", "a", by="w4", strength=1)
    return task


@pytest.fixture
def tied(project):
    task = make.task(project, outputs=("this", "that"))
    make.vote(task, "ab", by="w1")
    make.vote(task, "ab", by="w2")
    return task
