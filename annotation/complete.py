"""Ask an endpoint for the next turn of a conversation, a piece at a time, within limits.

An address may name a machine in the network of this server: that is where one's own models run.
So the request is small and always the same, no redirect is followed, no proxy or password of the
server's environment is used, what comes back is read only as a chat completion, within limits of
size and time, and the address at which clouds keep their machines' secrets is never spoken to.
"""

import ipaddress
import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpx2

from annotation.add_endpoint import BadEndpoint, key_of
from annotation.models import Endpoint
from truing.errors import Refused

CONNECT_SECONDS = 10.0
LONGEST_SECONDS = 600.0  # for a whole answer
LONGEST_TEXT = 200_000  # characters
LARGEST_STREAM = 20_000_000  # bytes: each piece of text is wrapped in some hundred
LARGEST_LINE = 1_000_000
LARGEST_PROBLEM = 20_000
# Where clouds keep their machines' secrets, beside the link-local 169.254.169.254: Amazon's by
# IPv6, Alibaba's and Oracle's.
SECRETS = {"fd00:ec2::254", "100.100.100.200", "192.0.0.192"}
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
SAID_OF_A_PROBLEM = 200  # characters of what the endpoint itself says


class Trouble(StrEnum):
    """What kind of trouble it is: all that an annotator may know."""

    AWAY = "away"
    SLOW = "slow"
    REFUSED = "refused"
    BROKEN = "broken"


class EndpointFailed(Refused):
    """The endpoint has not answered. The sentence is for engineers: it may name the model."""

    status = 502

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(sentence)
        self.trouble = trouble

    @classmethod
    def of_bug(cls, problem: BaseException) -> "EndpointFailed":
        """Something of ours broke: whoever waits is told, and the log says what."""
        return cls(Trouble.BROKEN, f"Something broke on the server ({type(problem).__name__}).")


def complete(
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, str]],
    *,
    params: Mapping[str, Any] | None = None,
    longest_seconds: float = LONGEST_SECONDS,
) -> Iterator[str]:
    """The pieces of its answer as they come. Raises EndpointFailed with one sentence.

    The database is not touched, so that any thread may do this.
    """
    deadline = time.monotonic() + longest_seconds
    silence = min(float(endpoint.timeout_seconds), longest_seconds)
    try:
        key = key_of(endpoint)
    except BadEndpoint as problem:
        raise EndpointFailed(Trouble.REFUSED, str(problem)) from None
    _refuse_forbidden(_addresses_of(endpoint.base_url))
    headers = {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    body = {
        "model": endpoint.model,
        "messages": list(messages),
        "stream": True,
        **endpoint.params,
        **(params or {}),
    }
    limits = httpx2.Timeout(silence, connect=min(CONNECT_SECONDS, silence))
    try:
        with (
            httpx2.Client(timeout=limits, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", f"{endpoint.base_url}/chat/completions", json=body, headers=headers
            ) as response,
        ):
            _refuse_stranger(response)
            if response.status_code != 200:
                raise _refusal(response, key, deadline)
            yield from _texts(response, key, deadline)
    except httpx2.ConnectTimeout:
        raise EndpointFailed(
            Trouble.AWAY, "The endpoint cannot be reached: nobody takes the call."
        ) from None
    except httpx2.TimeoutException:
        raise EndpointFailed(
            Trouble.SLOW, f"The endpoint has said nothing for {silence:g} seconds."
        ) from None
    except httpx2.ConnectError as problem:
        reason = _reason(problem)
        raise EndpointFailed(Trouble.AWAY, f"The endpoint cannot be reached: {reason}.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as problem:
        reason = type(problem).__name__
        raise EndpointFailed(
            Trouble.BROKEN, f"The connection to the endpoint broke ({reason})."
        ) from None


def _reason(problem: Exception) -> str:
    words = " ".join(str(problem).split())
    if "refused" in words.lower():
        return "nothing listens at this address"
    if "certificate" in words.lower():
        return "its certificate is not valid"
    return words[:SAID_OF_A_PROBLEM].rstrip(".") or "the network says no"


def _addresses_of(base_url: str) -> list[str]:
    parts = urlsplit(base_url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise EndpointFailed(
            Trouble.AWAY, f"There is no machine “{parts.hostname}” as far as this server knows."
        ) from None
    return [str(address[0]) for *_, address in found]


def _refuse_forbidden(addresses: Sequence[str]) -> None:
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address):
            address = _wrapped(address) or address
        is_odd = address.is_link_local or address.is_multicast or address.is_unspecified
        if is_odd or str(address) in SECRETS:
            raise EndpointFailed(
                Trouble.REFUSED, f"{text} is an address that no endpoint may have."
            )


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The older address that stands in one of these, and is reached through it."""
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _refuse_stranger(response: httpx2.Response) -> None:
    """The name may have been given another address since it was looked up: nothing is read then."""
    stream = response.extensions.get("network_stream")
    address = stream.get_extra_info("server_addr") if stream else None
    if address:
        _refuse_forbidden([str(address[0])])


def _refusal(response: httpx2.Response, key: str, deadline: float) -> EndpointFailed:
    """What its status says, with its own words where it sends any."""
    status = response.status_code
    if 300 <= status < 400:
        return EndpointFailed(
            Trouble.REFUSED, "The endpoint sends us elsewhere, where nobody is followed."
        )
    sentences = {
        401: "The endpoint does not accept the key",
        403: "The endpoint does not let this key in",
        404: "The endpoint knows no such address or model",
        429: "The endpoint is asked too much just now",
    }
    sentence = sentences.get(status, f"The endpoint refuses the request with status {status}")
    own = _own_words(response, key, deadline)
    trouble = Trouble.SLOW if status == 429 else Trouble.REFUSED
    if status >= 500:
        trouble, sentence = Trouble.AWAY, f"The endpoint is in trouble itself (status {status})"
    return EndpointFailed(trouble, f"{sentence}: {own}" if own else f"{sentence}.")


def _own_words(response: httpx2.Response, key: str, deadline: float) -> str:
    raw = b""
    for piece in _bounded(response, deadline):
        raw += piece
        if len(raw) > LARGEST_PROBLEM:
            return ""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    # OpenAI and vLLM say it in `error`, FastAPI in `detail`.
    found = said.get("error") or said.get("detail") if isinstance(said, dict) else None
    if isinstance(found, dict):
        found = found.get("message")
    if not isinstance(found, str):
        return ""
    return _in_short(found, key)


def _in_short(text: str, key: str) -> str:
    """What an endpoint says of its trouble, as it can be kept, and without our key."""
    words = " ".join(text.replace("\x00", " ").encode("utf-8", "replace").decode().split())
    if key:
        words = words.replace(key, "…")
    return words[:SAID_OF_A_PROBLEM]


def _texts(response: httpx2.Response, key: str, deadline: float) -> Iterator[str]:
    """The pieces of text in the answer, streamed or in one."""
    if "json" in response.headers.get("content-type", ""):
        raw = b"".join(_bounded(response, deadline))
        said = _read(raw)
        choice = _choice(said)
        text = _content(choice.get("message"))
        if text is None:
            raise _not_understood()
        yield text[:LONGEST_TEXT]
        return
    length = 0
    is_over = False
    for line in _lines(_bounded(response, deadline)):
        if not line.startswith(b"data:"):
            continue
        content = line[5:].strip()
        if content == b"[DONE]":
            is_over = True
            break
        said = _read(content)
        if error := said.get("error"):
            words = error.get("message", "") if isinstance(error, dict) else error
            words = _in_short(str(words), key)
            raise EndpointFailed(
                Trouble.BROKEN, f"The endpoint stopped in the middle: {words or 'without a word'}"
            )
        if not said.get("choices"):
            continue  # counts of tokens, for instance
        choice = _choice(said)
        if text := _content(choice.get("delta")):
            length += len(text)
            if length > LONGEST_TEXT:
                raise _too_long()
            yield text
        # Not all send [DONE].
        is_over = is_over or bool(choice.get("finish_reason"))
    if not is_over:
        raise EndpointFailed(Trouble.BROKEN, "The endpoint stopped in the middle of its answer.")


def _bounded(response: httpx2.Response, deadline: float) -> Iterator[bytes]:
    size = 0
    for piece in response.iter_raw():
        size += len(piece)
        if size > LARGEST_STREAM:
            raise _too_long()
        if time.monotonic() > deadline:
            raise EndpointFailed(Trouble.SLOW, "The endpoint has not come to an end in time.")
        yield piece


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # Put together once a line: it may come byte by byte.
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        first, *more = piece.split(b"\n")
        parts.append(first)
        size += len(first)
        if more:
            yield b"".join(parts)
            yield from more[:-1]
            parts, size = [more[-1]], len(more[-1])
        if size > LARGEST_LINE:
            raise _too_long()
    if size:
        yield b"".join(parts)


def _read(raw: bytes) -> dict[str, Any]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise _not_understood()
    return said


def _choice(said: Mapping[str, Any]) -> dict[str, Any]:
    choices = said.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _not_understood()
    return choices[0]


def _content(message: Any) -> str | None:
    text = message.get("content") if isinstance(message, dict) else None
    return text if isinstance(text, str) else None


def _not_understood() -> EndpointFailed:
    return EndpointFailed(
        Trouble.BROKEN, "The endpoint does not answer in the way of chat completions."
    )


def _too_long() -> EndpointFailed:
    return EndpointFailed(Trouble.BROKEN, "The endpoint says far too much, and was cut off.")
