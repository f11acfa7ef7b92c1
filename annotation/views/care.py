"""What somebody chooses about harmful content, for themselves."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from annotation.models import Annotator
from annotation.opt_in import opt_in, opt_out
from truing.access import membership_for
from truing.http import Request
from truing.translated import translated


@require_POST
@login_required
def care_choice(request: Request, slug: str) -> HttpResponse:
    """Choose to be given a category of harmful content, or not to be given it any more."""
    membership = membership_for(request, slug)
    me = Annotator.objects.member(membership.project, membership.user)
    category = request.POST.get("category", "")
    if request.POST.get("wanted") == "yes":
        opt_in(me, category)
        said = "You may be given this from now on. You can take it back at any time."
    else:
        opt_out(me, category)
        said = "You are not given this any more."
    messages.success(request, translated(said))
    return redirect("my_work", slug)
