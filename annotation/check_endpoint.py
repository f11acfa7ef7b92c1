"""Try an endpoint with one short question, and say in one sentence what is wrong with it."""

from django.utils import timezone

from annotation.complete import EndpointFailed, complete
from annotation.models import Endpoint
from truing.audit import record
from truing.models import User

QUESTION = [{"role": "user", "content": "Say yes."}]
LONGEST_SECONDS = 20.0  # somebody waits for it


def check_endpoint(endpoint: Endpoint, *, actor: User | None) -> str:
    """What is wrong, in one sentence; "" when it answers."""
    problem = ""
    try:
        for _ in complete(
            endpoint, QUESTION, params={"max_tokens": 4}, longest_seconds=LONGEST_SECONDS
        ):
            break  # one word is enough
    except EndpointFailed as failure:
        problem = str(failure)
    endpoint.checked_at, endpoint.problem = timezone.now(), problem
    endpoint.save(update_fields=["checked_at", "problem"])
    record(
        "endpoint.check",
        actor=actor,
        project=endpoint.project,
        on=endpoint,
        problem=problem,
    )
    return problem
