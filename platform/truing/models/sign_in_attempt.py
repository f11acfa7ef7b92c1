from datetime import datetime

from django.db import models


class SignInAttemptQuerySet(models.QuerySet["SignInAttempt"]):
    def since(self, moment: datetime) -> "SignInAttemptQuerySet":
        return self.filter(at__gt=moment)

    def by(self, email: str, address: str) -> "SignInAttemptQuerySet":
        return self.filter(address=address, email=email)


class SignInAttempt(models.Model):
    """A password that was tried and not right, kept for a quarter of an hour."""

    email = models.CharField(max_length=254)  # in lower case; it need not be anybody's
    address = models.CharField(max_length=45)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = SignInAttemptQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["address", "email"], name="attempt_by_address")]

    def __str__(self) -> str:
        return f"{self.email} from {self.address}"
