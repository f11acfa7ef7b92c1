from django.db import models
from django.utils import timezone

from truing.models.project import Project
from truing.models.user import User


class PasswordLinkQuerySet(models.QuerySet["PasswordLink"]):
    def open(self) -> "PasswordLinkQuerySet":
        return self.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)

    def expire(self) -> int:
        return self.filter(used_at=None).update(expires_at=timezone.now())


class PasswordLink(models.Model):
    """A link with which a person sets a password, once. Handed over without e-mail."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)  # of the secret in the link
    # The owner who made it, and for which project; neither for a link of the operator.
    created_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = PasswordLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"password link for {self.user}"
