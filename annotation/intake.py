"""Take prompts, outputs and past answers in from a file, a batch of lines at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.db import DataError, IntegrityError, connection

from annotation.feedback_keys import BadLine
from annotation.feedback_line import Line, read_line
from annotation.importers import IMPORTERS
from annotation.importers.base import Found
from annotation.models import Queue
from annotation.models.prompt import digest_of
from annotation.store_lines import Numbered, store_lines
from annotation.write_lines import Stored
from truing.errors import Invalid, Refused
from truing.models import Project, User
from truing.plugins import plugin_named

BATCH_LINES = 2000
BATCH_BYTES = 8 * 1024 * 1024
KEPT_PROBLEMS = 1000  # all are counted, and told to `refused`


class NoFile(Invalid):
    """The file cannot be read."""


class QueueOfReview(Refused):
    """This queue belongs to a review, which takes nothing from files."""


@dataclass(frozen=True)
class Problem:
    line: int
    problem: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.problem}"


@dataclass
class Report:
    """What came in: new rows each, and lines that changed nothing or were refused."""

    lines: int = 0
    tasks: int = 0
    prompts: int = 0  # lines that ask nothing (yet)
    annotations: int = 0
    annotators: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    bytes_read: int = 0

    @property
    def came_in(self) -> int:
        return self.lines - self.refused

    def record(self) -> dict[str, Any]:
        return asdict(self)


Refusals = Callable[[Problem], None]


def import_file(
    project: Project,
    source: Path | BinaryIO,
    *,
    format: str = "feedback",
    queue: Queue | None = None,
    actor: User | None = None,
    progress: Callable[[Report], None] | None = None,
    refused: Refusals | None = None,
) -> Report:
    """Take in every line that fits. A refused line changes nothing, and the others come in.

    Batches are written one by one; `progress` is called after each, and may end the import by
    raising. `refused` is told of every refused line.
    """
    importer = plugin_named(IMPORTERS, format, "format")
    if queue and queue.reserved_for:
        raise QueueOfReview
    intake = _Intake(project, queue, actor, refused)
    with _opened(source) as file, _ids_of_file() as ids:
        for batch in _batches(importer.records(file)):
            intake.take(batch, ids)
            intake.report.bytes_read = file.tell()
            if progress:
                progress(intake.report)
    return intake.report


def first_lines(
    source: Path | BinaryIO, number: int, *, format: str = "feedback", task_type: str = ""
) -> Iterator[tuple[int, Line | None, str]]:
    """The first lines of a file as they would be read, or what is wrong with them."""
    importer = plugin_named(IMPORTERS, format, "format")
    with _opened(source) as file:
        for _, found in zip(range(number), importer.records(file), strict=False):
            try:
                yield found.line, _read(found, task_type), ""
            except BadLine as problem:
                yield found.line, None, str(problem)


def first_good_line(source: Path, *, format: str = "feedback") -> list[Problem] | None:
    """None when a line of the file can be read, else what is wrong with the first ones."""
    problems: list[Problem] = []
    with _opened(source) as file:
        for found in plugin_named(IMPORTERS, format, "format").records(file):
            try:
                _read(found, "")
            except BadLine as problem:
                if len(problems) < KEPT_PROBLEMS:
                    problems.append(Problem(found.line, str(problem)))
            else:
                return None
    return problems


class _Intake:
    def __init__(
        self,
        project: Project,
        queue: Queue | None,
        actor: User | None,
        refused: Refusals | None,
    ) -> None:
        self.project = project
        self.queue = queue
        self.actor = actor
        self.refused = refused
        self.report = Report()
        self.found: list[Problem] = []  # in this batch

    def take(self, batch: list[Found], ids: "_Ids") -> None:
        lines: list[Numbered] = []
        for found in batch:
            self.report.lines += 1
            try:
                lines.append((found.line, _read(found, self.queue.type if self.queue else "")))
            except BadLine as problem:
                self._refuse(found.line, str(problem))
        self._store(self._without_twins(lines, ids), ids)
        self._tell()

    def _without_twins(self, lines: list[Numbered], ids: "_Ids") -> list[Numbered]:
        seen = ids.seen([line.id for _, line in lines])
        alone = []
        for number, line in lines:
            before = seen.get(line.id)
            if before is None:
                seen[line.id] = number
                alone.append((number, line))
            elif line.id.startswith(OWN_ID) and len(line.id) == OWN_ID_LENGTH:
                # A line without an id that stands there twice says the same twice.
                self.report.unchanged += 1
            else:
                self._refuse(number, f"Line {before} has the same id, “{line.id}”.")
        return alone

    def _store(self, lines: list[Numbered], ids: "_Ids") -> None:
        """Store a batch; where the database refuses something in it, line by line."""
        try:
            stored = store_lines(self.project, lines, queue=self.queue, actor=self.actor)
        except (DataError, IntegrityError) as problem:
            if len(lines) > 1:
                for line in lines:
                    self._store([line], ids)
            else:
                reason = str(problem).splitlines()[0]
                self._refuse(lines[0][0], f"The database does not take it: {reason}.")
            return
        self._count(stored)
        refused = {number for number, _ in stored.refused}
        ids.add([(line.id, number) for number, line in lines if number not in refused])

    def _count(self, stored: Stored) -> None:
        for name in ("tasks", "prompts", "annotations", "annotators", "unchanged"):
            setattr(self.report, name, getattr(self.report, name) + getattr(stored, name))
        for number, problem in stored.refused:
            self._refuse(number, problem)

    def _refuse(self, number: int, sentence: str) -> None:
        self.found.append(Problem(number, sentence))

    def _tell(self) -> None:
        """Count what was refused in this batch, in the order of its lines."""
        for problem in sorted(self.found, key=lambda problem: problem.line):
            self.report.refused += 1
            if len(self.report.problems) < KEPT_PROBLEMS:
                self.report.problems.append(problem)
            if self.refused:
                self.refused(problem)
        self.found.clear()


OWN_ID = "line-"
OWN_ID_LENGTH = len(OWN_ID) + 32


def _read(found: Found, task_type: str) -> Line:
    if found.problem:
        raise BadLine(found.problem)
    line = read_line(found.record, task_type=task_type)
    if line.id:
        return line
    # The same line gets the same id when it comes again.
    named = {**found.record, "id": OWN_ID + digest_of(found.record)[:32]}
    return read_line(named, task_type=task_type)


def _batches(records: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for found in records:
        batch.append(found)
        size += found.size
        if len(batch) == BATCH_LINES or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    try:
        file = source.open("rb")
    except OSError as problem:
        raise NoFile(f"{source} cannot be read: {problem.strerror}.") from None
    with file:
        if not file.seekable():
            # What is in it is looked at first, and taken in afterwards.
            raise NoFile(f"{source} can be read only once: save what it gives in a file first.")
        yield file


class _Ids:
    """The ids that a file has brought so far, kept in the database: a file may hold millions."""

    def seen(self, ids: list[str]) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, line FROM ids_of_file WHERE id = ANY(%s)", [ids])
            return dict(cursor.fetchall())

    def add(self, lines: list[tuple[str, int]]) -> None:
        with connection.cursor() as cursor, cursor.copy("COPY ids_of_file FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)


@contextmanager
def _ids_of_file() -> Iterator[_Ids]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS ids_of_file")
        cursor.execute("CREATE TEMPORARY TABLE ids_of_file (id text PRIMARY KEY, line bigint)")
    try:
        yield _Ids()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS ids_of_file")
