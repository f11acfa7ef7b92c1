"""Pages and fragments: one template serves both, and a refusal is shown where it is seen."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render as django_render
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from truing.database import refusal_in
from truing.models import Membership
from truing.translated import translated

Role = Membership.Role

# The groups of the navigation, each entry with the role from which on it is shown.
NAVIGATION: tuple[tuple[str, tuple[tuple[str, str, Role], ...]], ...] = (
    (
        "",
        (
            ("project", "Overview", Role.REVIEWER),
            ("desk", "Desk", Role.ANNOTATOR),
            ("my_work", "My work", Role.ANNOTATOR),
        ),
    ),
    (
        "Judgments",
        (
            ("queues", "Queues", Role.CURATOR),
            ("prompts", "Prompts", Role.REVIEWER),
            ("outputs", "Outputs", Role.REVIEWER),
            ("answers", "Answers", Role.REVIEWER),
            ("agreement", "Agreement", Role.REVIEWER),
            ("leaderboard", "Leaderboard", Role.REVIEWER),
            ("disputes", "Adjudicate", Role.REVIEWER),
            ("flags", "Flags", Role.CURATOR),
            ("annotators", "Annotators", Role.REVIEWER),
            ("skills", "Skills", Role.CURATOR),
        ),
    ),
    (
        "Data",
        (("datasets", "Datasets", Role.CURATOR), ("imports", "Import", Role.CURATOR)),
    ),
    (
        "Models",
        (
            ("runs", "Runs", Role.REVIEWER),
            ("checkpoints", "Checkpoints", Role.REVIEWER),
            ("reviews", "Reviews", Role.REVIEWER),
            ("endpoints", "Endpoints", Role.ENGINEER),
        ),
    ),
    ("Project", (("members", "Members", Role.OWNER), ("audit", "Audit", Role.OWNER))),
)

# What a person reads when something other than a rule of ours says no.
SENTENCES = {
    400: "The server could not read this request.",
    403: "Your role does not allow this, or the page is too old: reload it and try again.",
    404: "This does not exist, or it is not yours to see.",
    405: "This cannot be done here.",
    413: "This is too large.",
}


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragment: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the page, or only its `fragment` when htmx asked."""
    if not (fragment and _is_htmx(request)):
        return django_render(request, template, context, status=status)
    response = django_render(request, f"{template}#{fragment}", context, status=status)
    # A fragment has no frame, so news for the person travels beside it.
    if news := list(get_messages(request)):
        response.write(render_to_string("truing/_news.html", {"news": news, "beside": True}))
    return response


def navigation(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page shows: the project, the person's role in it, the way about."""
    membership = getattr(request, "membership", None)
    if membership is None:
        return {"nav": []}
    return {
        "project": membership.project,
        "membership": membership,
        "role": translated(membership.get_role_display()),
        # A fragment has no frame, and does not ask for it.
        "nav": SimpleLazyObject(lambda: _nav(request.path, membership)),
    }


def _nav(path: str, membership: Membership) -> list[dict[str, Any]]:
    groups = []
    for title, entries in NAVIGATION:
        items = []
        for name, label, role in entries:
            if membership.role < role:
                continue
            try:
                url = reverse(name, args=[membership.project.slug])
            except NoReverseMatch:
                continue
            # What is made new stands beside its list: new-queue/ beside queues/.
            beside = url.removesuffix(f"{name}/") + f"new-{name.removesuffix('s')}/"
            active = path == url if name == "project" else path.startswith((url, beside))
            items.append({"name": name, "label": translated(label), "url": url, "active": active})
        if items:
            groups.append({"title": translated(title), "items": items})
    return groups


class RefusedMiddleware:
    """Shows refusals and errors to the person who asked, on a page or in the alert region."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _is_htmx(request):
            return response
        if 300 <= response.status_code < 400 and "Location" in response.headers:
            return _go(request, response.headers["Location"], response)
        # A status of 422 carries a fragment with the form and what is wrong with it.
        if response.status_code >= 400 and response.status_code != 422:
            return _alert(request, response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        refusal = refusal_in(error)
        if refusal is None:
            return None
        if _is_htmx(request):
            return _in_alert_region(request, translated(str(refusal)), refusal.status)
        sentence = translated(str(refusal))
        return django_render(
            request, "truing/refused.html", {"sentence": sentence}, status=refusal.status
        )


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _alert(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if "HX-Retarget" in response.headers:
        return response
    sentence = SENTENCES.get(
        response.status_code, "Something went wrong on the server. Nothing was changed."
    )
    return _in_alert_region(request, translated(sentence), response.status_code)


def _in_alert_region(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    response = django_render(request, "truing/_alert.html", {"sentence": sentence}, status=status)
    response.headers["HX-Retarget"] = "#messages"
    response.headers["HX-Reswap"] = "innerHTML show:none"
    return response


def _go(request: HttpRequest, location: str, response: HttpResponse) -> HttpResponse:
    """Send the browser there: htmx alone would put the whole page into the fragment's place."""
    sign_in = resolve_url(settings.LOGIN_URL)
    if urlsplit(location).path == sign_in:
        # After signing in one comes back to the page, not to the request it made.
        current = urlsplit(request.headers.get("HX-Current-URL", ""))
        query = QueryDict(mutable=True)
        query["next"] = current.path or "/"
        location = f"{sign_in}?{query.urlencode(safe='/')}"
    answer = HttpResponse(status=204)
    answer.cookies = response.cookies
    answer.headers["HX-Redirect"] = location
    return answer
