"""Secrets in links and tokens: made at random, shown once, kept and looked up as their digest."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What the database keeps.

    A secret has 256 random bits, so one round of hashing is enough; and looking a digest up
    takes no time that tells anything about the secret.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
