"""Whom a run tells: members at noon of their zone, with points that are granted once however often it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError

from alerts.models import Contact
from alerts.models.contact import Channel
from alerts.texts.rendering import words_of
from chaos import stage as stages
from chaos.stage import LIFE_DAYS, NOTICE_DAYS, noon_zone
from ledger.errors import LedgerError
from ledger.models import Lot


@pytest.mark.parametrize("hour", range(24))
def test_in_the_zone_of_a_run_it_is_noon(hour):
    now = datetime(2025, 3, 10, hour, 20, tzinfo=UTC)
    assert now.astimezone(ZoneInfo(noon_zone(now))).time() == time(12, 20)


def test_every_member_has_an_address(stage):
    assert stage.members == ["m00000", "m00001", "m00002"]
    addresses = list(Contact.objects.usable().order_by("address").values_list("address", flat=True))
    assert addresses == [f"{member}@chaos.example" for member in stage.members]


def test_points_go_in_seven_weeks_under_a_duty_to_tell(stage, clock):
    assert stage.grant(0, 2, now=clock.now())
    lots = Lot.objects.order_by("account")
    assert [lot.account_id for lot in lots] == [account for _, account in stage.accounts[:2]]
    assert {(lot.expires_at, lot.notice_days, lot.gated) for lot in lots} == {(stage.expires_at, NOTICE_DAYS, True)}
    assert timedelta(days=LIFE_DAYS - 1) < stage.expires_at - clock.now() <= timedelta(days=LIFE_DAYS)


def test_asked_again_it_grants_nothing_twice(stage, clock):
    assert stage.grant(0, 3, now=clock.now())
    assert stage.grant(0, 3, now=clock.now())
    assert Lot.objects.count() == 3


def test_while_the_database_is_away_it_says_so(stage, clock, monkeypatch):
    def away(orders: object) -> None:
        raise OperationalError("the database system is starting up")

    monkeypatch.setattr(stages, "post", away)
    monkeypatch.setattr("chaos.stage.connection.close", lambda: None)
    assert not stage.grant(0, 3, now=clock.now())
    assert Lot.objects.count() == 0


def test_what_the_ledger_refuses_is_no_matter_of_asking_again(stage, clock):
    with pytest.raises(LedgerError):
        stage.grant(0, 3, now=stage.expires_at + timedelta(days=1))
    assert Lot.objects.count() == 0


def test_an_alimtalk_of_a_run_has_words_with_a_code(db, clock):
    stage = stages.set_up(channel=Channel.ALIMTALK, members=1, now=clock.now())
    words = words_of(stage.programme_id, channel="alimtalk", language=Contact.objects.get().language)
    assert words.provider_code == "chaos"
