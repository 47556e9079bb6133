"""The pages of what went wrong. No traceback reaches a user; under /api/ the answer is the API's one shape."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader

from config.api import problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400. Only the words of a BadRequest are for the user; others name internals."""
    said = str(exception) if isinstance(exception, BadRequest) else ""
    return _answer(request, 400, "bad_request", said)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "permission_denied", str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. Where no address fits, the exception carries the list of all addresses: that is not for the user."""
    words = exception.args[0] if isinstance(exception, Http404) and exception.args else ""
    return _answer(request, 404, "not_found", words if isinstance(words, str) else "")


def server_error(request: HttpRequest) -> HttpResponse:
    """500. Rendered without the request: whatever broke may break again where the page looks up who is signed in."""
    if _is_api(request):
        return JsonResponse(problem("error", "Something went wrong here."), status=500)
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def _answer(request: HttpRequest, status: int, code: str, said: str) -> HttpResponse:
    if _is_api(request):
        return JsonResponse(problem(code, said or code.replace("_", " ")), status=status)
    return render(request, f"{status}.html", {"said": said}, status=status)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
