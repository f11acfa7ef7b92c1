from django.db import models

from truing.models import Project, User


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def with_newest_version(self) -> "DatasetQuerySet":
        """Adds the newest version's number, moment and rows by split, for lists."""
        newest = DatasetVersion.objects.filter(dataset=models.OuterRef("pk")).order_by("-number")
        return self.annotate(
            newest_number=models.Subquery(newest.values("number")[:1]),
            newest_at=models.Subquery(newest.values("created_at")[:1]),
            newest_rows=models.Subquery(newest.values("manifest__rows")[:1]),
        )


class DatasetVersionQuerySet(models.QuerySet["DatasetVersion"]):
    def named(self, name: str) -> "DatasetVersionQuerySet":
        """The version that is called `project/dataset@number`."""
        slug, _, rest = name.partition("/")
        dataset, _, number = rest.rpartition("@")
        if not number.isdecimal():
            return self.none()
        return self.filter(dataset__project__slug=slug, dataset__name=dataset, number=int(number))


class Dataset(models.Model):
    """A recipe: which answers are selected, and what becomes of them."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets")
    name = models.SlugField(max_length=80)
    kind = models.CharField(max_length=40)  # preference, instruction, text
    recipe = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_dataset_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """What a recipe gave at one moment, on disk. Never changed: freeze another."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    recipe = models.JSONField()
    digest = models.CharField(max_length=64)  # of the canonical rows, sorted
    manifest = models.JSONField()  # files by split, counts, the recipe, who and what is behind it
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DatasetVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.dataset.project.slug}/{self.dataset.name}@{self.number}"
