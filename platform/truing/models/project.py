from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from truing.errors import Invalid
from truing.models.user import User


class ProjectQuerySet(models.QuerySet["Project"]):
    def of(self, user: User) -> "ProjectQuerySet":
        """The projects in which this person has a role."""
        return self.filter(memberships__user=user)


class Project(models.Model):
    """A workspace. What is in it is seen by its members alone."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True, max_length=80)
    description = models.TextField(blank=True)
    # Per cent of the prompts; the rest is for training. Set once: see annotation/models/prompt.py.
    eval_percent = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    review_percent = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="projects")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(eval_percent__lte=100 - models.F("review_percent")),
                name="shares_make_at_most_100_per_cent",
            )
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def owners(self) -> "MembershipQuerySet":
        """Those who can act as owners: somebody who was switched off cannot."""
        return self.filter(role=Membership.Role.OWNER, user__is_active=True)

    def matching(self, search: str) -> "MembershipQuerySet":
        """Those of people whose name or address has these letters in it."""
        if not search:
            return self.all()
        return self.filter(Q(user__email__icontains=search) | Q(user__name__icontains=search))

    def with_sizes(self) -> "MembershipQuerySet":
        """With the number of members of each project, as `size`."""
        sizes = (
            Membership.objects.filter(project=models.OuterRef("project"))
            .order_by()
            .values("project")
            .annotate(count=models.Count("pk"))
            .values("count")
        )
        return self.annotate(size=models.Subquery(sizes))


class Membership(models.Model):
    """Somebody's one role in a project. A higher role may do all that a lower one may."""

    class Role(models.IntegerChoices):
        ANNOTATOR = 1, _("annotator")
        REVIEWER = 2, _("reviewer")
        CURATOR = 3, _("curator")
        ENGINEER = 4, _("engineer")
        OWNER = 5, _("owner")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role, default=Role.ANNOTATOR)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"

    @classmethod
    def role_named(cls, name: str) -> "Membership.Role":
        """The role of that name, as people and programs write it."""
        try:
            return cls.Role[name.upper()]
        except KeyError:
            names = ", ".join(role.name.lower() for role in cls.Role)
            raise Invalid(f"There is no role “{name}”. There are: {names}.") from None
