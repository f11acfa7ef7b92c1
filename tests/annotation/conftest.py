"""People at a chat, and the models that answer them."""

import pytest

from tests import make
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
