"""Add an endpoint, or change one: where a model answers, as which, with which key, how long."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from annotation.models import Endpoint
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Project, User
from truing.options import build, option, record_of

NAME_LENGTH = 200
MODEL_LENGTH = 300
ADDRESS_LENGTH = 500
LONGEST_SILENCE_SECONDS = 600
# Only variables of these names are ever sent anywhere: else whoever adds an endpoint could have
# any secret of the server sent to an address of their own.
KEY_NAME = re.compile(r"TRUING_KEY_[A-Z0-9_]{1,80}")


class EndpointNameTaken(Refused):
    """There is already an endpoint with this name in this project."""


class BadEndpoint(Invalid):
    """This is no endpoint."""


class ServedEndpoint(Refused):
    """The platform serves this model itself, and looks after its address, key and state."""


@dataclass(frozen=True)
class Sampling:
    """How an endpoint is asked to sample. What is left empty is the endpoint's own default."""

    temperature: float | None = option(
        None, "0 always takes the likeliest word.", min_value=0, max_value=2
    )
    top_p: float | None = option(
        None, "Only the likeliest words that make up this share.", min_value=0.01, max_value=1
    )
    max_tokens: int | None = option(
        1024, "The longest answer, in tokens.", min_value=1, max_value=100_000
    )
    seed: int | None = option(None, "Makes answers repeatable, where the endpoint can.")


@transaction.atomic
def add_endpoint(
    project: Project,
    *,
    name: str,
    base_url: str,
    model: str,
    key_name: str = "",
    params: Mapping[str, Any] | None = None,
    timeout_seconds: int = 60,
    actor: User | None,
) -> Endpoint:
    """A new endpoint. Nothing is asked of it yet."""
    endpoint = Endpoint(
        project=project,
        name=checked_name(name),
        model=checked_model(model),
        base_url=checked_address(base_url),
        key_name=checked_key_name(key_name),
        params=checked_params(params or {}),
        timeout_seconds=checked_timeout(timeout_seconds),
        created_by=actor,
    )
    try:
        with transaction.atomic():
            endpoint.save()
    except IntegrityError:
        raise EndpointNameTaken from None
    record("endpoint.add", actor=actor, project=project, on=endpoint, **facts_of(endpoint))
    return endpoint


@transaction.atomic
def edit_endpoint(
    endpoint: Endpoint,
    *,
    base_url: str | None = None,
    key_name: str | None = None,
    params: Mapping[str, Any] | None = None,
    timeout_seconds: int | None = None,
    is_on: bool | None = None,
    actor: User | None,
) -> Endpoint:
    """Change what is given. Name and model stay: another model is another endpoint."""
    endpoint = Endpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    before = facts_of(endpoint)
    if base_url is not None:
        endpoint.base_url = checked_address(base_url)
    if key_name is not None:
        endpoint.key_name = checked_key_name(key_name)
    if params is not None:
        endpoint.params = checked_params(params)
    if timeout_seconds is not None:
        endpoint.timeout_seconds = checked_timeout(timeout_seconds)
    if is_on is not None:
        endpoint.is_on = is_on
    after = facts_of(endpoint)
    changed: dict[str, Any] = {key: after[key] for key in after if after[key] != before[key]}
    if endpoint.served and changed.keys() & {"base_url", "key_name", "is_on"}:
        raise ServedEndpoint
    if changed:
        endpoint.save()
        record("endpoint.edit", actor=actor, project=endpoint.project, on=endpoint, **changed)
    return endpoint


def facts_of(endpoint: Endpoint) -> dict[str, Any]:
    """What the audit log says of it. Of a key it knows the name only."""
    return {
        "model": endpoint.model,
        "base_url": endpoint.base_url,
        "key_name": endpoint.key_name,
        "params": endpoint.params,
        "timeout_seconds": endpoint.timeout_seconds,
        "is_on": endpoint.is_on,
    }


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    # Queues name their endpoints in a list with commas.
    if not name or "\x00" in name or "," in name or len(name) > NAME_LENGTH:
        raise BadEndpoint(
            f"An endpoint needs a name of at most {NAME_LENGTH} characters, without commas."
        )
    return name


def checked_model(model: str) -> str:
    model = model.strip()
    if not model or not model.isprintable() or len(model) > MODEL_LENGTH:
        raise BadEndpoint("Say which model is asked for, as the endpoint calls it.")
    return model


def checked_address(base_url: str) -> str:
    """The address without a slash at its end."""
    base_url = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        parts = None
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or len(base_url) > ADDRESS_LENGTH
        or not base_url.isascii()
        or not base_url.isprintable()
        or " " in base_url
    ):
        raise BadEndpoint(
            "The address begins with http:// or https:// and names a machine, "
            "such as https://api.example.org/v1."
        )
    if parts.username is not None or parts.password is not None:
        raise BadEndpoint("A key does not belong into the address: name the variable that has it.")
    if parts.query or parts.fragment:
        raise BadEndpoint("The address ends before “/chat/completions”, without “?” or “#”.")
    if base_url.endswith("/chat/completions"):
        raise BadEndpoint("Leave “/chat/completions” out of the address: it is put behind it.")
    return base_url


def checked_key_name(key_name: str) -> str:
    """The name of a variable, without “env:” before it."""
    key_name = key_name.strip().removeprefix("env:")
    if key_name and not KEY_NAME.fullmatch(key_name):
        raise BadEndpoint(
            "The key stands in an environment variable of the server whose name begins with "
            "TRUING_KEY_, such as TRUING_KEY_VENDOR. Give that name, never the key."
        )
    return key_name


def checked_params(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in record_of(build(Sampling, params)).items()
        if value is not None
    }


def checked_timeout(seconds: int) -> int:
    if not 1 <= seconds <= LONGEST_SILENCE_SECONDS:
        raise BadEndpoint(
            f"An endpoint may be silent for 1 to {LONGEST_SILENCE_SECONDS} seconds, not {seconds}."
        )
    return seconds


def key_of(endpoint: Endpoint) -> str:
    """The secret itself, for the request that needs it and nothing else; "" without one.

    A variable may say for which machine its key is meant: “api.example.org sk-...”.
    """
    if not endpoint.key_name:
        return ""
    machine, _, key = os.environ.get(endpoint.key_name, "").strip().rpartition(" ")
    if not key:
        raise BadEndpoint(f"The server has no environment variable {endpoint.key_name}.")
    if machine.strip() and machine.strip().lower() != urlsplit(endpoint.base_url).hostname:
        raise BadEndpoint(f"The key in {endpoint.key_name} is meant for another machine.")
    if not key.isascii() or not key.isprintable():
        raise BadEndpoint(f"What stands in {endpoint.key_name} is no key.")
    return key
