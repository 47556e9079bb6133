"""One small tree: every error has a code of its own, a message, and an HTTP status."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.api import STATUS, exception_handler
from ledger import errors
from ledger.errors import BadPoints, KeyReused, LedgerError


def tree(root: type[LedgerError]) -> Iterator[type[LedgerError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


ALL = [kind for kind in tree(LedgerError) if kind.__module__ == "ledger.errors"]


def test_the_codes_are_stable():
    assert {kind.__name__: kind.code for kind in ALL} == {
        "LedgerError": "ledger_error",
        "BadInput": "bad_input",
        "BadPoints": "bad_points",
        "BadKey": "bad_key",
        "PastExpiry": "past_expiry",
        "FutureAct": "future_act",
        "NotAGrant": "not_a_grant",
        "NotARedemption": "not_a_redemption",
        "NotAnExtension": "not_an_extension",
        "NotANotice": "not_a_notice",
        "NoPolicy": "no_policy",
        "WorseTooSoon": "worse_too_soon",
        "Refused": "refused",
        "InsufficientPoints": "insufficient_points",
        "KeyReused": "key_reused",
        "LotNotLive": "lot_not_live",
        "LotNotPromised": "lot_not_promised",
        "LotNotExpired": "lot_not_expired",
        "TooLateToReinstate": "too_late_to_reinstate",
        "AlreadyReinstated": "already_reinstated",
        "EarlierDate": "earlier_date",
        "CannotUndo": "cannot_undo",
        "MoreThanRedeemed": "more_than_redeemed",
        "HoldNotOpen": "hold_not_open",
        "MoreThanHeld": "more_than_held",
        "BooksClosed": "books_closed",
        "AlreadyClosing": "already_closing",
        "NotClosing": "not_closing",
        "AccountClosed": "account_closed",
        "AccountNotFound": "account_not_found",
        "AccountBusy": "account_busy",
        "ProgrammeBusy": "programme_busy",
        "LedgerBroken": "ledger_broken",
    }


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_what_is_wrong_in_its_own_docstring(kind):
    assert "__doc__" in vars(kind)
    assert kind.__doc__.strip().endswith(".")
    assert "\n" not in kind.__doc__


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_drawn_in_the_tree_at_the_top(kind):
    assert kind.__name__ in (errors.__doc__ or "")


def test_the_message_is_the_docstring_unless_a_detail_replaces_it():
    assert str(KeyReused()) == "This key was used before with another content."
    assert KeyReused().field == ""
    assert str(KeyReused("Another.", field="key")) == "key: Another."
    assert KeyReused("Another.", field="key").detail == "Another."


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("BadInput", 400),
        ("BadPoints", 400),
        ("BadKey", 400),
        ("PastExpiry", 400),
        ("FutureAct", 400),
        ("NotAGrant", 400),
        ("NotARedemption", 400),
        ("NotAnExtension", 400),
        ("NotANotice", 400),
        ("NoPolicy", 400),
        ("WorseTooSoon", 400),
        ("Refused", 409),
        ("KeyReused", 409),
        ("LotNotLive", 409),
        ("LotNotPromised", 409),
        ("LotNotExpired", 409),
        ("TooLateToReinstate", 409),
        ("AlreadyReinstated", 409),
        ("EarlierDate", 409),
        ("CannotUndo", 409),
        ("MoreThanRedeemed", 409),
        ("HoldNotOpen", 409),
        ("MoreThanHeld", 409),
        ("BooksClosed", 409),
        ("AlreadyClosing", 409),
        ("NotClosing", 409),
        ("AccountClosed", 409),
        ("AccountNotFound", 404),
        ("AccountBusy", 503),
        ("ProgrammeBusy", 503),
        ("LedgerBroken", 500),
    ],
)
def test_every_error_becomes_one_http_answer(kind, status):
    response = exception_handler(getattr(errors, kind)(field="points"), {})
    assert response is not None
    assert response.status_code == status
    assert response.data["code"] == getattr(errors, kind).code
    assert response.data["field"] == "points"


def test_every_kind_of_refusal_has_a_status():
    """The root itself is never raised."""
    without = [kind for kind in ALL if kind is not LedgerError and not any(k in STATUS for k in kind.__mro__)]
    assert without == []


def test_an_error_answer_shows_the_code_the_field_and_the_rule_and_no_more():
    response = exception_handler(BadPoints(field="points"), {})
    assert response is not None
    assert response.data == {
        "code": "bad_points",
        "field": "points",
        "detail": "Points must be a whole number from 1 to 1,000,000,000,000.",
    }


def test_errors_that_are_not_the_ledgers_are_left_to_the_framework():
    assert exception_handler(ZeroDivisionError(), {}) is None
