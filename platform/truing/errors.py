"""Refusals: the one kind of error that is meant to be read by the person who asked."""


class Refused(Exception):
    """The rules do not allow this."""

    status = 409

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class Invalid(Refused):
    """What was given is not valid."""

    status = 422
