"""The page one comes home to, and the form for a new project."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_http_methods

from truing.create_project import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    SLUG_LENGTH,
    check_may_create,
    create_project,
)
from truing.errors import Refused
from truing.http import Request
from truing.models import Membership, Project
from truing.pages import render


class ProjectForm(forms.Form):
    name = forms.CharField(
        max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autofocus": True})
    )
    slug = forms.CharField(
        label="Short name",
        max_length=SLUG_LENGTH,
        required=False,
        help_text="Stands in addresses and commands. Made from the name if you leave it empty.",
    )
    description = forms.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    eval_percent = forms.IntegerField(
        label="For evaluation (%)",
        initial=10,
        min_value=0,
        max_value=100,
        help_text="This share of the prompts is kept out of training, to measure on.",
    )
    review_percent = forms.IntegerField(
        label="For reviews (%)",
        initial=10,
        min_value=0,
        max_value=100,
        help_text="This share is only ever answered by finished models, for people to compare.",
    )

    def texts(self) -> list[forms.BoundField]:
        return [self["name"], self["slug"], self["description"]]

    def shares(self) -> list[forms.BoundField]:
        return [self["eval_percent"], self["review_percent"]]


@require_GET
@login_required
def home(request: Request) -> HttpResponse:
    """One's projects."""
    memberships = (
        Membership.objects.filter(user=request.user)
        .select_related("project")
        .with_sizes()
        .order_by("project__name", "pk")
    )
    projects = [
        {
            "name": membership.project.name,
            "slug": membership.project.slug,
            "description": membership.project.description,
            "role": membership.get_role_display(),
            # Whoever annotates comes for what waits for them: the part above this one knows.
            "is_desk": membership.role == Membership.Role.ANNOTATOR,
            "size": membership.size,  # type: ignore[attr-defined]  # by with_sizes
            "url": project_address(membership.project),
        }
        for membership in memberships
    ]
    context = {"projects": projects, "may_create": request.user.may_make_projects}
    return render(request, "truing/home.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def new_project(request: Request) -> HttpResponse:
    check_may_create(request.user)
    form = ProjectForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            project = create_project(**form.cleaned_data, actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The project “{project.name}” is there, and it is yours.")
            return redirect(project_address(project))
    return render(
        request, "truing/new_project.html", {"form": form}, status=422 if form.is_bound else 200
    )


def project_address(project: Project) -> str:
    """Where a project begins. The page belongs to a part above this one, so it may be missing."""
    try:
        return reverse("project", args=[project.slug])
    except NoReverseMatch:
        return reverse("home")
