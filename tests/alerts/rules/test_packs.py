"""The packs say what the table "Rules of telling" of the design says, each value with a source."""

from __future__ import annotations

from dataclasses import fields
from datetime import time

import pytest

from alerts.models import TellingRules
from alerts.rules.packs import KR_CARD, KR_GENERAL, KR_PREPAID, ONTARIO, PACKS, QUEBEC, Asked, Pack, Source, Sure
from ledger.kinds import Origin
from ledger.policies import Model


def values(pack: Pack) -> dict[str, object]:
    """What a pack asks, line by line."""
    lines = {field.name: getattr(pack, field.name) for field in fields(pack) if field.name != "code"}
    return {name: asked.value for name, asked in lines.items() if asked is not None}


KOREA = {
    "notice_alone": True,
    "hours": (time(9), time(20, 30)),
    "advertising_mark": "(광고)",
    "advertising_night": (time(21), time(8)),
    "alimtalk_origins": ("purchase",),
    "alimtalk_sentence": "※ 고객님의 유료 구매로 지급된 포인트 안내입니다.",
}


def test_the_packs_are_those_that_a_programme_can_choose():
    assert list(PACKS) == TellingRules.Pack.values
    assert {code: pack.code for code, pack in PACKS.items()} == dict(zip(PACKS, PACKS, strict=True))


def test_korea_in_general():
    assert values(KR_GENERAL) == KOREA | {"duty_days": 30, "channels": 2, "offsets": (60, 30, 3)}


def test_koreas_cards_are_told_180_days_before_as_well():
    assert values(KR_CARD) == KOREA | {"duty_days": 30, "channels": 2, "offsets": (180, 60, 30, 3)}


def test_koreas_prepaid_value_is_told_of_three_times_from_a_year_before():
    assert values(KR_PREPAID) == KOREA | {"times": 3, "first_days": 365}


def test_quebec():
    assert values(QUEBEC) == {
        "expiry": ("never", "inactivity"),
        "inactivity_years": 1,
        "duty_days": 30,
        "duty_most_days": 60,
        "notice_alone": True,
    }


def test_ontario():
    assert values(ONTARIO) == {"expiry": ("never", "inactivity")}


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_every_value_has_its_source_and_says_how_sure_we_are(pack):
    for name in values(pack):
        asked = getattr(pack, name)
        assert isinstance(asked, Asked)
        assert isinstance(asked.source, Source)
        assert len(str(asked.source.text)) > 40
        assert isinstance(asked.source.sure, Sure)
    assert "79.6.3" in str(QUEBEC.duty_days and QUEBEC.duty_days.source.text)


def test_the_words_of_the_packs_are_the_ledgers():
    for pack in PACKS.values():
        assert set(pack.expiry.value if pack.expiry else ()) <= set(Model.values)
        assert set(pack.alimtalk_origins.value if pack.alimtalk_origins else ()) <= set(Origin.values)
