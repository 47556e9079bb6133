import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from alerts.models import Reminder, TellingRules
from alerts.watch import switches
from ledger.actors import Actor
from tests import alert_builders, builders
from tests.alert_builders import before
from tests.windows import stop_clock


@pytest.fixture(autouse=True)
def sixty_days_before(monkeypatch):
    stop_clock(monkeypatch, before(60))


def run(*options: str) -> str:
    out = StringIO()
    call_command("would_send", *options, stdout=out)
    return out.getvalue()


def test_it_says_the_figures_and_why_nothing_is_said_to_others(minji, byeol):
    jun = builders.jun(byeol)
    builders.grant(jun, 10)
    assert run() == (
        "byeol on 2026-01-30: 1 new reminders\n"
        "  email, 60 days before, to be planned: 1 messages (1,200 points)\n"
        "  not: no usable address: 1 (10 points)\n"
    )
    assert not Reminder.objects.exists()


def test_it_can_list_the_first_messages(minji, byeol):
    alert_builders.member(byeol, "jun", 10)
    lines = run("--programme", "byeol", "--list", "1").splitlines()
    assert lines[-1] == "    minji  2026-03-31 - 60  email  1,200 points"
    assert len(lines) == 3


def test_it_writes_all_messages_as_csv(minji, byeol):
    alert_builders.member(byeol, "=jun", 10)
    text = run("--csv")
    rows = list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [(row["programme"], row["member"], row["points"], row["stage"]) for row in rows] == [
        ("byeol", "minji", "1200", "new"),
        ("byeol", "'=jun", "10", "new"),
    ]
    assert text.count("\r\n") == text.count("\n") == 3


def test_a_later_day_says_what_would_have_gone_before(minji):
    assert "  due before that day: email, 60 days before" in run("--day", "2026-01-31")


def test_it_says_what_a_person_stopped_and_what_the_guard_would_hold(minji, byeol, settings):
    alert_builders.member(byeol, "jun", 10)
    by = Actor("staff", "3")
    switches.stop_transport(name=settings.TRANSPORTS["email"], by=by, why="an outage", now=before(61))
    switches.stop_programme(programme=byeol, by=by, why="a wrong rule", now=before(61))
    TellingRules.objects.update(blast_least=1)
    text = run("--programme", "byeol")
    for said in ("the programme is stopped", "the transport of email is stopped", "the guard would hold"):
        assert said in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--programme", "nowhere"), "--programme: there is no programme nowhere"),
        (("--programme", ""), "--programme: there is no programme"),
        (("--day", "2026-01-29"), "--day: This day has gone"),
        (("--day", "2026-01-29", "--csv"), "--day: This day has gone"),
        (("--day", "soon"), "--day: must be a day like"),
        (("--list", "0"), "--list: must be a number"),
        (("--list", "5", "--csv"), "not allowed with"),
    ],
)
def test_a_bad_option_is_refused_by_its_name_and_nothing_is_written(minji, capsys, options, said):
    with pytest.raises(CommandError, match=said):
        run(*options)
    assert capsys.readouterr().out == ""
