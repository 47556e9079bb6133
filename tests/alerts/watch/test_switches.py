"""The kill switch: who stopped what, why and since when; and letting it go on."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from alerts.errors import BadInput
from alerts.models import Stop, TellingRules, Transport
from alerts.watch import switches
from ledger.actors import Actor
from tests.builders import NOW, days

pytestmark = pytest.mark.django_db

BY = Actor("staff", "3")
OTHER = Actor("staff", "4")


def stops():
    rows = Stop.objects.order_by("pk")
    return list(rows.values_list("programme__code", "transport", "stopped", "by", "why", "at"))


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
    with pytest.raises(BadInput, match="Say why"):
        switches.resume_programme(programme=moa, by=BY, why="", now=NOW)
    assert not Transport.objects.exists()
    assert stops() == []


def test_letting_go_on_does_not_lose_who_stopped_it_and_why(moa):
    switches.stop_programme(programme=moa, by=BY, why=" wrong  words ", now=NOW)
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    for refused in (switches.stop_transport, switches.resume_transport):
        with pytest.raises(BadInput):
            refused(name="nhn" if refused == switches.resume_transport else "smtp", by=OTHER, why="x", now=NOW)
    switches.resume_programme(programme=moa, by=OTHER, why="mended", now=NOW + days(1))
    switches.resume_transport(name="smtp", by=OTHER, why="it is back", now=NOW + days(2))
    assert stops() == [
        ("moa", "", True, "staff:3", "wrong words", NOW),
        (None, "smtp", True, "staff:3", "bounces", NOW),
        ("moa", "", False, "staff:4", "mended", NOW + days(1)),
        (None, "smtp", False, "staff:4", "it is back", NOW + days(2)),
    ]


def test_what_cannot_be_noted_is_not_stopped_either(moa, monkeypatch):
    def refuse(**fields):
        raise IntegrityError

    monkeypatch.setattr(Stop.objects, "create", refuse)
    for stop in (
        lambda: switches.stop_programme(programme=moa, by=BY, why="why", now=NOW),
        lambda: switches.stop_transport(name="smtp", by=BY, why="why", now=NOW),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            stop()
    assert not switches.stopped(moa.pk, "smtp")
    monkeypatch.undo()
    switches.stop_programme(programme=moa, by=BY, why="why", now=NOW)
    switches.stop_transport(name="smtp", by=BY, why="why", now=NOW)
    monkeypatch.setattr(Stop.objects, "create", refuse)
    for go_on in (
        lambda: switches.resume_programme(programme=moa, by=BY, why="why", now=NOW),
        lambda: switches.resume_transport(name="smtp", by=BY, why="why", now=NOW),
    ):
        with pytest.raises(IntegrityError):
            go_on()
    assert TellingRules.objects.get().stopped_at == NOW
    assert Transport.objects.get().stopped_at == NOW


def test_a_stop_can_be_neither_changed_nor_removed(moa):
    switches.stop_transport(name="smtp", by=BY, why="bounces", now=NOW)
    for change in (lambda rows: rows.update(why="x"), lambda rows: rows.delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change(Stop.objects.all())
    assert stops() == [(None, "smtp", True, "staff:3", "bounces", NOW)]


def test_stops_cannot_be_truncated(db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alerts_stop ENABLE TRIGGER stop_no_truncate")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE alerts_stop")
        transaction.set_rollback(True)


@pytest.mark.parametrize("both", [True, False])
def test_a_stop_is_of_a_programme_or_of_a_transport(moa, both):
    of = {"programme": moa, "transport": "smtp"} if both else {}
    with pytest.raises(IntegrityError, match="stop_of_a_programme_or_a_transport"), transaction.atomic():
        Stop.objects.create(**of, stopped=True, by="staff:3", why="x", at=NOW)
