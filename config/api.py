"""How errors become answers of the API: all in the one shape {"code", "field", "detail"}, mapped once, here."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound
from rest_framework.exceptions import PermissionDenied as ApiPermissionDenied
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from ledger.errors import AccountBusy, AccountNotFound, BadInput, LedgerBroken, LedgerError, ProgrammeBusy, Refused

# By inheritance: an error has the status of the nearest kind above it. AccountClosed is a conflict like the other
# refusals and not 410: the account is still there to be read, only nothing more can happen to it; `code` says so.
STATUS: dict[type[LedgerError], int] = {
    BadInput: 400,
    Refused: 409,
    AccountNotFound: 404,
    AccountBusy: 503,
    ProgrammeBusy: 503,
    LedgerBroken: 500,
}


def problem(code: str, detail: str, field: str = "") -> dict[str, str]:
    """The one shape. `code` is stable, `field` names what is at fault if something is, `detail` is for people."""
    return {"code": code, "field": field, "detail": detail}


def exception_handler(error: Exception, context: dict) -> Response | None:
    """DRF's handler, in the one shape; the ledger's refusals with their own codes."""
    if isinstance(error, LedgerError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return Response(problem(error.code, error.detail, error.field), status=status)
    if isinstance(error, Http404):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = ApiPermissionDenied()
    response = drf_exception_handler(error, context)
    if response is not None and isinstance(error, APIException):
        response.data = _problem_of(error)
    return response


def _problem_of(error: APIException) -> dict[str, str]:
    """The first thing that is wrong: a validation error may name several fields, each with several."""
    detail, field = error.detail, ""
    while isinstance(detail, dict | list):
        if isinstance(detail, dict):
            name, detail = next(iter(detail.items()))
            field = field or str(name)
        else:
            detail = detail[0]
    return problem(str(getattr(detail, "code", error.default_code)), str(detail), field)
