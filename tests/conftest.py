"""The cast. Owen owns, Erin engineers, Clara curates, Rita reviews, Alice and Bob annotate."""

import os
from pathlib import Path

import pytest

from tests import make
from tests.sweep import sweep

# Models this small gain nothing from a second thread, and lose much where a core is busy: before
# torch is imported here, and for every process that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _no_job_is_left(request, django_db_blocker):
    """Who writes for good, because it needs a second connection, leaves no job behind."""
    yield
    mark = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (mark and mark.kwargs.get("transaction")):
        with django_db_blocker.unblock():
            sweep()


@pytest.fixture(autouse=True)
def _files_go_to_a_temporary_folder(settings, tmp_path):
    for name in ("FILES", "RUNS", "GENERATIONS", "CHECKPOINTS", "UPLOADS", "SERVED"):
        setattr(settings, name, tmp_path / name.lower())


@pytest.fixture(autouse=True)
def _passwords_are_hashed_fast(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data made by others, where a checkout has it beside itself."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with real data is not here")
    return folder


@pytest.fixture
def project(db):
    return make.project()


@pytest.fixture
def owen(project):
    return make.member(project, "owen", role="OWNER")


@pytest.fixture
def erin(project):
    return make.member(project, "erin", role="ENGINEER")


@pytest.fixture
def clara(project):
    return make.member(project, "clara", role="CURATOR")


@pytest.fixture
def rita(project):
    return make.member(project, "rita", role="REVIEWER")


@pytest.fixture
def alice(project):
    return make.member(project, "alice")


@pytest.fixture
def bob(project):
    return make.member(project, "bob")


@pytest.fixture
def mallory(db):
    """Belongs to no project, and must see nothing."""
    return make.user("mallory")
