"""Addresses that do not exist and bugs: a page for a person, JSON for a program."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from truing.api.errors import NOT_FOUND

BAD_REQUEST = "The server could not read this request."
BROKEN = "Something went wrong on the server. Nothing was changed."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": BAD_REQUEST}, status=400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": NOT_FOUND}, status=404)
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": BROKEN}, status=500)
    return defaults.server_error(request)
