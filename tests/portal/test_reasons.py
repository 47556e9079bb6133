"""What machines wrote as a reason is put into words; what people wrote is shown as they wrote it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils.translation import override

from ledger.catchup import ENDED, LAPSED
from ledger.effects import NOTHING_LEFT
from ledger.holds import LEFT
from ledger.kinds import Origin, Waiver
from ledger.notes import note_order
from ledger.notices import GONE, UNTOLD_REASON
from ledger.posting import act
from portal import history, reasons
from tests.builders import NOW, SHOP, extend, grant, lot_of


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def said(account) -> list[str]:
    return history.page(account, before=None).lines[0].details


def test_every_origin_and_waiver_has_its_words():
    assert set(reasons.SOURCES) == set(Origin)
    assert set(reasons.WAIVERS) == set(Waiver)


@pytest.mark.parametrize("reason", [LAPSED, ENDED, NOTHING_LEFT, LEFT, GONE, UNTOLD_REASON, "told in time after all"])
def test_the_reasons_that_the_ledger_writes_are_known(reason: str):
    assert any(re.fullmatch(pattern, reason) for pattern, _ in reasons.REASONS)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("nobody was told in time", "We had not told you in time, so your points stay longer."),
        ("active in the last 90 days", "You were active in the last 90 days, so your points stay longer."),
        ("a purchase of 100.90 at 1.5", "The purchase came to 100.90."),
        ("a purchase of 0.40 at 1 is worth no point", "The purchase was too small for a point."),
        ("a purchase of 0.40 is worth no point", "The purchase was too small for a point."),
        ("a return of 0.40 is worth no point", "The return was too small for a point."),
        ("a return of 99.00", "Goods were returned."),
        ("return", "Goods were returned."),
        ("the waiver is not true any more", "Why we had not written to you does not hold any more."),
        ("lapsed", "They were on hold and not used in time, so you have them back."),
        ("the account was closed", "They were on hold when the account was closed, so they came back first."),
        ("return of the king", "Reason: return of the king"),
    ],
)
def test_reasons_that_machines_wrote_are_put_into_words(minji, reason: str, told: str):
    act(note_order(account_id=minji.pk, now=NOW, key="n", by=SHOP, reason=reason))

    assert said(minji) == [told]


def test_what_staff_wrote_is_shown_as_they_wrote_it(minji):
    lot = lot_of(grant(minji, 10))
    extend(minji, [lot.pk], date(2026, 6, 30), reason="return")

    assert said(minji)[0] == "Reason: return"
