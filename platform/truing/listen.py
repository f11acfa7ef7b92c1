"""Listen to browsers: a request goes to a thread when it is there, and nobody is waited for.

Gunicorn's threads read a request from the network themselves, for as long as it takes: eight
telephones that lose it in the middle of a sentence would stop a process for good. Here what has
come is gathered without waiting, and threads are for requests that are whole; what is too long to
be gathered may not come too slowly, nor an answer be taken too slowly. Somebody who keeps a
connection open after the last answer is waited for beside the others, not before them.
"""

import errno
import re
import socket
from functools import partial
from selectors import EVENT_READ
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from truing.turns import Turns

WHOLE_SECONDS = 30.0  # from its first byte until a request is whole
SILENT_SECONDS = 20.0  # what a thread waits for the next bytes, either way
SLOWEST = 4096  # bytes a second, of what a thread reads or writes
VANISHED_SECONDS = 30.0  # without a sign that what was sent has arrived
LEAVE_SECONDS = 2.0  # for the other side to read the end of the last answer
LARGEST_HEAD = 64 * 1024
LARGEST_GATHERED = 256 * 1024
LARGEST_IGNORED = 64 * 1024
AT_ONCE = 64 * 1024

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect:", re.IGNORECASE)


class Connection(socket.socket):
    """A browser's connection, on which no thread waits for ever."""

    def __init__(self, taken: socket.socket) -> None:
        family, kind, protocol = taken.family, taken.type, taken.proto
        super().__init__(family, kind, protocol, fileno=taken.detach())
        if family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_USER_TIMEOUT"):
            # Who has vanished takes nothing: a chat's few words would wait for them in the kernel.
            self.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(VANISHED_SECONDS * 1000)
            )
        self.gathered = bytearray()
        self.began = 0.0  # when the first byte of a request came
        self._wanted = 0  # how many bytes the request has; 0 while its head is not whole
        self._since = 0.0
        self._heard = 0

    def gather(self) -> bool:
        """Take what has come of a request. Whether it is whole, or too long to be gathered."""
        self.settimeout(0)
        while not self._is_enough():
            try:
                came = super().recv(AT_ONCE)
            except BlockingIOError:
                return False
            if not came:
                raise _gone("It was left in the middle of a request.")
            self.began = self.began or monotonic()
            self.gathered += came
        return True

    def take(self) -> bytes:
        """What was gathered, for the thread that goes on with it."""
        taken = bytes(self.gathered)
        self.gathered.clear()
        self.began, self._wanted = 0.0, 0
        self._since, self._heard = monotonic(), 0
        return taken

    def _is_enough(self) -> bool:
        if not self._wanted:
            end = self.gathered.find(b"\r\n\r\n")
            if end < 0:
                return len(self.gathered) > LARGEST_HEAD
            self._wanted = end + 4
            head = self.gathered[: end + 2]
            # Who waits for our word sends nothing before it.
            if (length := LENGTH.search(head)) and not EXPECTS.search(head):
                self._wanted += int(length[1])
        return len(self.gathered) >= min(self._wanted, LARGEST_GATHERED)

    def setblocking(self, flag: bool) -> None:
        self.settimeout(SILENT_SECONDS if flag else 0)

    def recv(self, size: int, flags: int = 0) -> bytes:
        _refuse_slow(self._since, self._heard)
        try:
            came = super().recv(size, flags)
        except TimeoutError:
            raise _gone("Nothing comes any more.") from None
        self._heard += len(came)
        return came

    def sendall(self, data: Any, flags: int = 0) -> None:
        since, rest = monotonic(), memoryview(data)
        size = len(rest)
        try:
            while rest:
                rest = rest[self.send(rest, flags) :]
                _refuse_slow(since, size - len(rest))
        except TimeoutError:
            raise _gone("Nobody reads any more.") from None

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        try:
            return super().sendfile(file, offset, count)
        except TimeoutError:
            raise _gone("Nobody reads any more.") from None


def _refuse_slow(since: float, size: int) -> None:
    if monotonic() > since + SILENT_SECONDS + size / SLOWEST:
        raise _gone("It is too slow.")


def _gone(why: str) -> ConnectionResetError:
    """For gunicorn it is as if the other side had closed the connection, which it takes calmly."""
    return ConnectionResetError(errno.ECONNRESET, why)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads: they take turns, and are kept waiting by nobody."""

    def get_thread_pool(self) -> Turns:
        return Turns(self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Connection):
            conn.sock = Connection(conn.sock)
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        """Answer a request that is there. In a thread of the pool."""
        browser: Connection = conn.sock
        if conn.parser:  # the next request may have come with the last one
            browser.gathered += conn.parser.unreader.take_buffered()
        try:
            if not browser.gather():
                return _DEFER
        except OSError:
            return False
        conn.init()
        conn.parser.unreader.unread(browser.take())
        return super().handle(conn)

    def finish_request(self, conn: TConn, future: Any) -> None:
        """Wait for the next bytes or the next request, or take leave. In the main thread."""
        failed = future.cancelled() or future.exception()
        result = False if failed else future.result()
        if result is _DEFER:
            began = conn.sock.began
            until = began + WHOLE_SECONDS if began else monotonic() + self.cfg.keepalive
            if not self.alive:
                until = min(until, monotonic() + LEAVE_SECONDS)
            self._wait_for(conn, partial(self.on_pending_socket_readable, conn), until)
        elif result:
            super().finish_request(conn, future)
        else:
            self._take_leave(conn)

    def _take_leave(self, conn: TConn) -> None:
        """Close it when the other side has done so, or time is over."""
        conn.ignored = 0
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self._wait_for(conn, partial(self._ignore, conn), monotonic() + LEAVE_SECONDS)
        except (OSError, ValueError):
            self._close(conn)

    def _ignore(self, conn: TConn, browser: Connection) -> None:
        """What still comes. Unread, it would have the end of our answer thrown away."""
        try:
            came = socket.socket.recv(browser, AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        conn.ignored += len(came)
        if not came or conn.ignored > LARGEST_IGNORED:
            self._let_go(conn)

    def _wait_for(self, conn: TConn, called: Any, until: float) -> None:
        conn.timeout = until
        self.poller.register(conn.sock, EVENT_READ, called)
        self.pending_conns.append(conn)

    def murder_pending(self) -> None:
        """Close those for whom we have waited long enough."""
        now = monotonic()
        for conn in [one for one in self.pending_conns if one.timeout <= now]:
            self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        self.pending_conns.remove(conn)
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()
