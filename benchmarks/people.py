"""Simulated people at the desk, over HTTP: they sign in, read a question, answer it, and go on.

A process of its own, small enough that the server has the machine: reads what to do as one JSON
object from its input and prints what happened as another. As the page does, it sends an answer
again, with the same key, when the connection broke before the server had said that it has it.
"""

import asyncio
import gzip
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

FORM = re.compile(rb'<form class="desk-form"[^>]* action="([^"]+/answer/)"')
KEY = re.compile(rb'name="key" value="(\w+)"')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
CHOICES = ("0:1", "0:2", "0:3", "1:1", "1:2", "1:3", "tie")
OUTPUT = re.compile(rb'data-output="(\d)".*?<div class="reading"[^>]*>(.*?)</div>', re.DOTALL)
CAREFUL = 0.85  # so often they choose what all of them like best
AGAIN_SECONDS = 0.05
PATIENCE_SECONDS = 30.0


class Broken(Exception):
    """The connection ended before the answer was whole."""


@dataclass
class Person:
    """Somebody with a browser: one connection that is kept open, and cookies."""

    port: int
    slug: str
    email: str
    password: str
    cookies: dict[str, str] = field(default_factory=dict)
    page: bytes = b""  # what lies on their desk
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, form: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        body = urlencode(form).encode() if form is not None else b""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Accept: text/html",
            "Accept-Encoding: gzip",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        ]
        if form is not None:
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
                f"X-CSRFToken: {self.cookies.get('truing_csrf', '')}",
            ]
            if "/desk/" in path:
                lines.append("HX-Request: true")
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            assert self.reader is not None
            self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._read(self.reader)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as problem:
            self.leave()
            raise Broken from problem

    async def _read(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split()[1])
        length, is_packed, is_last = 0, False, False
        for line in lines:
            name, _, value = line.partition(": ")
            match name.lower():
                case "content-length":
                    length = int(value)
                case "content-encoding":
                    is_packed = value == "gzip"
                case "connection":
                    is_last = value.lower() == "close"
                case "set-cookie":
                    cookie, _, content = value.partition(";")[0].partition("=")
                    self.cookies[cookie] = content
        body = await reader.readexactly(length)
        if is_last:
            self.leave()
        return status, gzip.decompress(body) if is_packed else body

    def leave(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def sign_in(self) -> None:
        status, page = await self.ask("GET", "/sign-in/")
        if status == 302:
            return  # still signed in
        token = TOKEN.search(page)
        assert token, "the page has a form"
        form = {
            "csrfmiddlewaretoken": token[1].decode(),
            "email": self.email,
            "password": self.password,
        }
        status, page = await self.ask("POST", "/sign-in/", form)
        if status != 302:
            raise SystemExit(f"{self.email} cannot sign in: {status}")
        self.leave()  # the others sign in meanwhile, for longer than a connection is kept


@dataclass
class Work:
    """What all of them have done together."""

    until: float
    milliseconds: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    again: int = 0  # sent again after a broken connection
    refused: int = 0
    ran_out: int = 0


def choice(page: bytes, rng: random.Random, agree: bool) -> str:
    """By chance; or mostly what comes first in the alphabet, whatever its place."""
    if not agree or rng.random() > CAREFUL:
        return rng.choice(CHOICES)
    place, _ = min(OUTPUT.findall(page), key=lambda found: found[1])
    return f"{place.decode()}:2"


async def work(person: Person, order: dict[str, Any], work: Work, rng: random.Random) -> None:
    queue = order["queue"]
    desk = f"/p/{person.slug}/desk/?queue={queue}"
    page = person.page
    while time.monotonic() < work.until:
        form, key = FORM.search(page), KEY.search(page)
        if form is None or key is None:
            try:
                status, page = await person.ask("GET", desk)
            except Broken:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if status == 200 and not FORM.search(page):
                work.ran_out += 1
                await asyncio.sleep(0.5)
            continue
        answer = {
            "csrfmiddlewaretoken": person.cookies["truing_csrf"],
            "key": key[1].decode(),
            "choice": choice(page, rng, order["agree"]),
            "seconds": f"{rng.uniform(4, 40):.1f}",
            "reason": "",
            "queue": str(queue),
        }
        began = time.perf_counter()
        while True:
            try:
                status, page = await person.ask("POST", form[1].decode(), answer)
            except Broken:
                work.again += 1
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if status < 500:
                break
            await asyncio.sleep(AGAIN_SECONDS)
        if status == 200:
            work.milliseconds.append((time.perf_counter() - began) * 1000)
            work.acknowledged.append(answer["key"])
        else:
            work.refused += 1
            page = b""
    person.leave()


async def run(order: dict[str, Any]) -> dict[str, Any]:
    people = [
        Person(order["port"], order["slug"], email, order["password"], cookies)
        for email, cookies in zip(order["people"], order["cookies"], strict=True)
    ]
    for person in people:  # one after the other: hashing a password takes a core
        await person.sign_in()
    for person in people:
        _, person.page = await person.ask("GET", f"/p/{person.slug}/desk/?queue={order['queue']}")
    print("ready", flush=True)  # noqa: T201
    began, used = time.monotonic(), time.process_time()
    done = Work(until=began + order["seconds"])
    await asyncio.gather(
        *(work(person, order, done, random.Random(place)) for place, person in enumerate(people))
    )
    return {
        "seconds": time.monotonic() - began,
        "processor_seconds": time.process_time() - used,
        "milliseconds": done.milliseconds,
        "acknowledged": done.acknowledged,
        "again": done.again,
        "refused": done.refused,
        "ran_out": done.ran_out,
        "cookies": [person.cookies for person in people],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))  # noqa: T201
