"""The pages of what went wrong: no traceback, no internals, and under /api/ the API's one shape."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.test import Client, RequestFactory
from django.utils.translation import override

from config import errors


def asked(path: str = "/somewhere/") -> HttpRequest:
    return RequestFactory().get(path)


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def test_a_bad_request_says_what_is_wrong_and_hides_internals():
    hidden = errors.bad_request(asked(), SuspiciousOperation("/srv/secret"))

    assert hidden.status_code == 400
    assert "secret" not in hidden.content.decode()


def test_not_found_never_lists_the_addresses():
    answer = errors.not_found(asked(), Http404({"tried": ["admin/"]}))

    assert answer.status_code == 404
    assert "admin/" not in answer.content.decode()


def test_denied_has_its_page():
    assert errors.permission_denied(asked(), PermissionDenied()).status_code == 403


def test_the_500_page_needs_neither_database_nor_session():
    answer = errors.server_error(asked())

    assert answer.status_code == 500
    assert "Something went wrong here" in answer.content.decode()


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (lambda: errors.bad_request(asked("/api/v1/x"), SuspiciousOperation("x")), 400, "bad_request"),
        (lambda: errors.permission_denied(asked("/api/v1/x"), PermissionDenied()), 403, "permission_denied"),
        (lambda: errors.not_found(asked("/api/v1/x"), Http404()), 404, "not_found"),
        (lambda: errors.server_error(asked("/api/v1/x")), 500, "error"),
    ],
)
def test_under_api_all_is_json(answer, status: int, code: str):
    import json

    response = answer()
    body = json.loads(response.content)
    assert (response.status_code, sorted(body), body["code"]) == (status, ["code", "detail", "field"], code)


def test_a_view_that_breaks_shows_no_traceback(db, monkeypatch, settings):
    def break_down(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portal.views.inbox.messages", break_down)
    settings.DEMO = True
    answer = Client(raise_request_exception=False, headers={"accept-language": "en"}).get("/inbox/")

    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert "Something went wrong here" in answer.content.decode()


def test_a_form_without_its_token_has_a_page_of_its_own(db):
    answer = Client(enforce_csrf_checks=True, headers={"accept-language": "en"}).post("/sign-in/", {"username": "x"})

    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()


def test_browsers_find_an_icon(db):
    assert Client().get("/favicon.ico").headers["Location"] == "/static/pointkeep/icon.svg"
