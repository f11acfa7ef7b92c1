"""The threads of a web process take turns: side by side in one interpreter they are slower.

Nor does a thread wait for a browser for long.
"""

import errno
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

LONG_SECONDS = 0.1
SILENT_SECONDS = 15

Job = tuple[Future[Any], Callable[[], Any]]


class Turns(Executor):
    """Threads of which one works at a time, as long as nothing takes long.

    Jobs are begun in the order in which they came. Behind one that takes longer than
    LONG_SECONDS (a slow page, a chat that is streamed) the next thread goes on, up to `most` of
    them; so short jobs stay with one thread, its connection and what the processor has at hand.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._threads = 0
        self._idle: list[_Thread] = []  # who worked last is asked first
        self._on: _Thread | None = None  # whose turn it is
        self._since = 0.0
        self._is_over = False
        self._waited_for = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._is_over:
                raise RuntimeError("Nothing is begun after the end.")
            self._jobs.append((future, lambda: fn(*args, **options)))
            if self._on is None:
                self._pass_on()
            self._waited_for.set()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing more is begun. What has begun is done, before the process ends."""
        with self._lock:
            self._is_over = True
            while self._jobs:
                self._jobs.popleft()[0].cancel()
            for thread in self._idle:
                thread.called.set()
            self._waited_for.set()

    def next_for(self, thread: "_Thread") -> Job | None:
        """The job that a thread does next; none when the turn is another's, or nothing waits."""
        with self._lock:
            if self._jobs and (self._on is thread or self._is_long()):
                self._on, self._since = thread, monotonic()
                return self._jobs.popleft()
            if self._on is thread:
                self._on = None
            self._idle.append(thread)
            return None

    @property
    def is_over(self) -> bool:
        return self._is_over

    def _pass_on(self) -> None:
        """Give the turn to a thread without work, if there is one. The caller has the lock."""
        if self._idle:
            thread = self._idle.pop()
        elif self._threads < self.most:
            thread = _Thread(self)
            try:
                thread.start()
            except RuntimeError:
                if not self._threads:
                    raise
                return  # the system gives no more of them: those that are there go on
            self._threads += 1
        else:
            return
        self._on, self._since = thread, monotonic()
        thread.called.set()

    def _watch(self) -> None:
        """Overtake who takes long, while something waits."""
        while not self._is_over:
            self._waited_for.wait()
            sleep(LONG_SECONDS)
            with self._lock:
                if not self._jobs:
                    self._waited_for.clear()
                elif self._is_long():
                    self._pass_on()

    def _is_long(self) -> bool:
        return monotonic() - self._since >= LONG_SECONDS


class _Thread(threading.Thread):
    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.turns = turns
        self.called = threading.Event()

    def run(self) -> None:
        while not self.turns.is_over:
            self.called.wait()
            self.called.clear()
            while job := self.turns.next_for(self):
                _do(*job)


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as problem:
        future.set_exception(problem)
    else:
        future.set_result(result)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads, which take turns and wait for no browser for long."""

    def get_thread_pool(self) -> Turns:
        return Turns(self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Connection):
            conn.sock = Connection(conn.sock)
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        # Browsers connect before they have something to say. The poller waits for that, not a
        # thread whose turn it is.
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(0):
            return _DEFER
        is_kept = super().handle(conn)
        if not is_kept:
            conn.sock.take_leave()
        return is_kept


class Connection(socket.socket):
    """A browser's connection, on which nothing is waited for longer than SILENT_SECONDS.

    Telephones lose the network in the middle of a request: a few of them would stop a process.
    """

    def __init__(self, taken: socket.socket) -> None:
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        # The system's own limits, for each read and write: what comes slowly still comes.
        limit = struct.pack("ll", SILENT_SECONDS, 0)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def recv(self, *given: Any) -> bytes:
        try:
            return super().recv(*given)
        except BlockingIOError:
            raise self._gone() from None

    def sendall(self, *given: Any) -> None:
        try:
            super().sendall(*given)
        except BlockingIOError:
            raise self._gone() from None

    def take_leave(self) -> None:
        """Wait here until the other side has read the end, and not where the main thread does."""
        with suppress(OSError):
            close_graceful(socket.socket(fileno=os.dup(self.fileno())))
            self.shutdown(socket.SHUT_RD)

    def _gone(self) -> ConnectionResetError:
        """What gunicorn takes calmly. It would still wait for the other side to close."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        return ConnectionResetError(errno.ECONNRESET, "The other side is silent.")
