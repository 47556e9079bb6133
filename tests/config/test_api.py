"""How errors become HTTP answers."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions

from config.api import STATUS, exception_handler
from ledger import errors


def every_error(kind: type[errors.LedgerError]) -> list[type[errors.LedgerError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in every_error(child))]


@pytest.mark.parametrize("kind", every_error(errors.LedgerError)[1:])
def test_every_error_of_the_ledger_has_a_status(kind):
    assert any(ancestor in STATUS for ancestor in kind.__mro__)


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (
            errors.BadPoints(field="points"),
            400,
            {
                "code": "bad_points",
                "field": "points",
                "detail": "Points must be a whole number from 1 to 1,000,000,000,000.",
            },
        ),
        (
            errors.KeyReused(field="key"),
            409,
            {"code": "key_reused", "field": "key", "detail": "This key was used before with another content."},
        ),
        (
            errors.AccountNotFound(),
            404,
            {"code": "account_not_found", "field": "", "detail": "There is no such account."},
        ),
        (
            exceptions.ValidationError({"until": ["Too early."]}),
            400,
            {"code": "invalid", "field": "until", "detail": "Too early."},
        ),
        (exceptions.ValidationError(["No."]), 400, {"code": "invalid", "field": "", "detail": "No."}),
        (exceptions.ParseError("Odd."), 400, {"code": "parse_error", "field": "", "detail": "Odd."}),
    ],
)
def test_all_errors_have_the_one_shape(error, status: int, body: dict):
    response = exception_handler(error, {})

    assert response is not None
    assert (response.status_code, response.data) == (status, body)


@pytest.mark.parametrize(
    ("error", "status", "code"), [(Http404(), 404, "not_found"), (PermissionDenied(), 403, "permission_denied")]
)
def test_djangos_own_refusals_too(error, status: int, code: str):
    response = exception_handler(error, {})

    assert response is not None
    assert (response.status_code, response.data["code"], sorted(response.data)) == (
        status,
        code,
        ["code", "detail", "field"],
    )


def test_what_is_no_refusal_is_left_to_break():
    assert exception_handler(RuntimeError("bug"), {}) is None
