"""Who has which skill, and where it comes from: given by hand, by a file, or by an exam."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access import grant_for
from annotation.grant import annotator_with_email, grant, import_skills, take_away
from annotation.models import Grant
from annotation.views.listing import asked_for, page_of
from truing.access import Role, project_for
from truing.errors import Refused
from truing.http import Request
from truing.pages import render

LARGEST_FILE = 2 * 1024 * 1024
PROBLEMS = 5


class GrantForm(forms.Form):
    email = forms.EmailField(label="E-mail address", help_text="Of a member of this project.")
    skill = forms.CharField(
        max_length=100, help_text="For instance language:de, country:ch, or expertise:medicine."
    )


class FileForm(forms.Form):
    file = forms.FileField(
        label="CSV file", help_text="An e-mail address and a skill on each line."
    )


@require_http_methods(["GET", "POST"])
@login_required
def skills(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.CURATOR)
    form = GrantForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        values = form.cleaned_data
        try:
            person = annotator_with_email(project, values["email"])
            made = grant(person, values["skill"], actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            said = {"person": values["email"], "skill": made.skill}
            messages.success(request, gettext("%(person)s has %(skill)s.") % said)
            return redirect("skills", slug)
    asked = asked_for(request, ["skill"])
    found = (
        Grant.objects.in_project(project)
        .standing()
        .given_by_others()
        .select_related("annotator__user", "given_by", "queue")
    )
    if asked.get("skill"):
        found = found.filter(skill=asked["skill"].lower())
    page = page_of(request, found, asked)
    context = {
        "form": form,
        "file_form": FileForm(),
        "grants": page.rows,
        "skill": asked.get("skill", ""),
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    status = 422 if form.is_bound else 200
    return render(request, "annotation/skills.html", context, status=status)


@require_POST
@login_required
def skills_file(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.CURATOR)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid() or form.cleaned_data["file"].size > LARGEST_FILE:
        messages.error(request, "Choose a CSV file of at most 2 MB.")
        return redirect("skills", slug)
    text = form.cleaned_data["file"].read().decode("utf-8-sig", "replace").replace("\x00", "")
    done = import_skills(project, text.splitlines(), actor=request.user)
    messages.success(request, done.sentence)
    for problem in done.problems[:PROBLEMS]:
        messages.warning(request, problem)
    if len(done.problems) > PROBLEMS:
        messages.warning(request, f"And {len(done.problems) - PROBLEMS:,} more lines like these.")
    return redirect("skills", slug)


@require_POST
@login_required
def skill_take(request: Request, slug: str, pk: int) -> HttpResponse:
    held = grant_for(request, slug, pk)
    because = request.POST.get("because", "").replace("\x00", "")
    take_away(held, because=because, actor=request.user)
    messages.success(request, f"{held.skill} was taken away.")
    return redirect("skills", slug)
