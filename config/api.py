"""How errors of the ledger become HTTP answers: mapped once, here."""

from __future__ import annotations

from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from ledger.errors import AccountBusy, AccountNotFound, BadInput, LedgerBroken, LedgerError, Refused

STATUS: dict[type[LedgerError], int] = {
    BadInput: 400,
    Refused: 409,
    AccountNotFound: 404,
    AccountBusy: 503,
    LedgerBroken: 500,
}


def exception_handler(error: Exception, context: dict) -> Response | None:
    """DRF's handler, with the ledger's refusals as `{"code", "field", "detail"}`."""
    if isinstance(error, LedgerError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return Response({"code": error.code, "field": error.field, "detail": error.detail}, status=status)
    return drf_exception_handler(error, context)
