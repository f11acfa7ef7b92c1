"""Files named by what they contain: kept whole, or not at all."""

import errno
import hashlib
import stat

import pytest

from truing import storage


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_file_is_named_by_its_content(settings):
    name = storage.keep_bytes(b"hello", suffix=".txt")
    assert name == hashlib.sha256(b"hello").hexdigest() + ".txt"
    assert storage.existing(name).read_bytes() == b"hello"
    assert storage.keep_bytes(b"hello", suffix=".txt") == name
    assert files_in(settings.FILES) == [storage.path_of(name)]


def test_nobody_else_may_read_it(settings):
    path = storage.path_of(storage.keep_bytes(b"hello"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (settings.FILES, path.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_draft_that_is_not_kept_is_gone(settings):
    def write_and_fail():
        with storage.draft() as path:
            path.write_bytes(b"half")
            raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        write_and_fail()
    assert files_in(settings.FILES) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_a_refusal(settings, number):
    def write_until_full():
        with storage.draft() as path:
            path.write_bytes(b"half")
            raise OSError(number, "no room")

    with pytest.raises(storage.DiskFull, match="no room left on the disk"):
        write_until_full()
    assert files_in(settings.FILES) == []


def test_any_other_problem_is_not_hidden(settings):
    with pytest.raises(PermissionError), storage.draft():
        raise PermissionError(errno.EACCES, "no")


def test_a_missing_file_is_named(settings):
    with pytest.raises(storage.FileMissing, match="abc.parquet is missing"):
        storage.existing("abc.parquet")
