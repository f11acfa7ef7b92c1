from django.db import models
from django.utils import timezone

from truing.models.project import Membership, Project
from truing.models.user import User


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def revoke(self) -> int:
        return self.open().update(revoked_at=timezone.now())


class Invitation(models.Model):
    """A link that gives a role in a project, once, to whoever has it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.PositiveSmallIntegerField(choices=Membership.Role)
    digest = models.CharField(max_length=64, unique=True)  # of the secret in the link
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"invitation of {self.email} to {self.project}"
