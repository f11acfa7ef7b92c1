from django.db import models

from truing.models import Project, User


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def in_use(self) -> "EndpointQuerySet":
        return self.filter(is_on=True)


class Endpoint(models.Model):
    """Anything that answers OpenAI-style chat completions: a vendor, vLLM, a checkpoint of ours."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="endpoints")
    # Queues say it, so it stays; so does the model, or old outputs would change their author.
    name = models.CharField(max_length=200)
    model = models.CharField(max_length=300)
    base_url = models.CharField(max_length=500)  # "/chat/completions" comes behind it
    # The name of the environment variable that holds the key. The key itself is nowhere here.
    key_name = models.CharField(max_length=100, blank=True)
    params = models.JSONField(default=dict, blank=True)  # how answers are sampled
    timeout_seconds = models.PositiveSmallIntegerField(default=60)  # how long it may be silent
    is_on = models.BooleanField(default=True)
    # "checkpoint:17" where the platform itself serves it, and looks after address and state.
    served = models.CharField(max_length=100, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)  # what the last check found, in one sentence
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_endpoint_per_name"),
            models.UniqueConstraint(
                fields=["project", "served"],
                condition=~models.Q(served=""),
                name="one_endpoint_per_served_model",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        """What its outputs are marked with."""
        return self.served or f"endpoint:{self.pk}"
