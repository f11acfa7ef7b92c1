"""What a browser needs to keep somebody's answers while the network is away.

They wait in the browser under a name that tells nothing, sealed with a key that the server gives to
pages of this person alone: whoever uses the same browser next can neither read nor send them.
"""

from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from truing.models import Membership


@dataclass(frozen=True)
class Outbox:
    name: str
    key: str  # 256 bits, in hexadecimal digits


def outbox_of(membership: Membership) -> Outbox:
    """This person's in this project: always the same, and nobody else's."""
    whose = f"{membership.user_id}.{membership.project_id}"
    return Outbox(
        name=salted_hmac("outbox.name", whose, algorithm="sha256").hexdigest()[:24],
        key=salted_hmac("outbox.key", whose, algorithm="sha256").hexdigest(),
    )
