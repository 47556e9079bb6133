"""The kill switch: who stopped what, why and since when; and letting it go on."""

from __future__ import annotations

import pytest

from alerts.errors import BadInput
from alerts.models import TellingRules, Transport
from alerts.watch import switches
from ledger.actors import Actor
from tests.builders import NOW, days

pytestmark = pytest.mark.django_db

BY = Actor("staff", "3")


def test_a_programme_is_stopped_with_its_reason_and_goes_on(moa):
    assert not switches.stopped(moa.pk, "smtp")
    switches.stop_programme(programme=moa, by=BY, why=" wrong  words ", now=NOW)
    assert switches.stopped(moa.pk, "smtp")
    rules = TellingRules.objects.get()
    assert (rules.stopped_at, rules.stopped_by, rules.stopped_why) == (NOW, "staff:3", "wrong words")
    with pytest.raises(BadInput, match="stopped already"):
        switches.stop_programme(programme=moa, by=BY, why="again", now=NOW + days(1))
    assert TellingRules.objects.get().stopped_at == NOW
    switches.resume_programme(programme=moa, by=BY, why="mended", now=NOW + days(1))
    assert not switches.stopped(moa.pk, "smtp")
    with pytest.raises(BadInput, match="not stopped"):
        switches.resume_programme(programme=moa, by=BY, why="again", now=NOW + days(1))


def test_a_transport_is_stopped_for_all_programmes_and_no_other_transport_is(moa):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    assert switches.stopped(moa.pk, "smtp")
    assert not switches.stopped(moa.pk, "nhn")
    switches.resume_transport(name="smtp", by=BY, why="mended", now=NOW)
    assert not switches.stopped(moa.pk, "smtp")


def test_without_a_reason_or_a_name_nothing_is_stopped(moa):
    for why in (" ", "x" * 201, "a\0b"):
        with pytest.raises(BadInput, match="Say why") as refusal:
            switches.stop_transport(name="nhn", by=BY, why=why, now=NOW)
        assert refusal.value.field == "why"
    with pytest.raises(BadInput, match="a name") as refusal:
        switches.stop_transport(name="", by=BY, why="why", now=NOW)
    assert refusal.value.field == "name"
    with pytest.raises(BadInput, match="not stopped"):
        switches.resume_transport(name="nhn", by=BY, why="x", now=NOW)
    assert not Transport.objects.exists()
