"""What a point is worth, and the day until which books are closed, on the page of a programme in the admin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import BEGINNING, Programme
from tests.builders import NOW, SEOUL, grant, minji
from tests.looking import nothing_changes
from tests.windows import PASSWORD, staff, stop_clock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


def sent(programme: Programme, *values: tuple[str, str, str], **changes: str) -> dict[str, str]:
    """The form of a programme that exists, with further values of a point: (counts from, value, currency)."""
    form = {
        "name": programme.name,
        "unit": "P",
        "language": "ko",
        "earn_rate": "1",
        "policy_notice_days": "30",
        "cooling_off_days": "14",
        "books_closed_until": "",
        "policies-TOTAL_FORMS": "0",
        "policies-INITIAL_FORMS": "0",
        "point_values-TOTAL_FORMS": str(len(values)),
        "point_values-INITIAL_FORMS": "0",
    }
    for number, (day, value, currency) in enumerate(values):
        head = f"point_values-{number}"
        form |= {f"{head}-since_0": day, f"{head}-since_1": "00:00" if day else ""}
        form |= {f"{head}-value": value, f"{head}-currency": currency}
    return form | changes


def page_of(programme: Programme) -> str:
    return f"/admin/ledger/programme/{programme.pk}/change/"


def errors_of(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.context["errors"])


def values_of(programme: Programme) -> list[tuple]:
    return list(programme.point_values.order_by("pk").values_list("since", "value", "currency", "recorded_at"))


def test_a_further_value_is_recorded_with_when_and_by_whom_and_the_first_stays(hana: Client, moa):
    first = values_of(moa)
    assert [row[:3] for row in first] == [(BEGINNING, Decimal(1), "KRW")]

    assert hana.post(page_of(moa), sent(moa, ("2025-04-01", "0.5", "KRW"))).status_code == 302
    begins = datetime(2025, 4, 1, tzinfo=UTC)
    assert values_of(moa) == [*first, (begins, Decimal("0.5"), "KRW", NOW)]
    assert moa.point_values.get(since=begins).actor == f"staff:{User.objects.get().pk}"

    assert hana.post(page_of(moa), sent(moa, ("", "0.25", "EUR"))).status_code == 302
    assert values_of(moa)[2] == (NOW, Decimal("0.25"), "EUR", NOW)
    shown = hana.get(page_of(moa)).content.decode()
    assert "0.250000" in shown
    assert f"staff:{User.objects.get().pk}" in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([("2025-03-09", "0.5", "KRW")], "A value of a point counts from now on; it cannot reach back."),
        ([("2025-04-01", "-1", "KRW")], "greater than or equal to 0"),
        ([("2025-04-01", "1", "won")], "Three capital letters."),
        ([("2025-04-01", "", "KRW")], "This field is required."),
        ([("2025-04-01", "1", "KRW"), ("2025-05-01", "2", "KRW")], "Please add one value of a point at a time."),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_recorded(hana: Client, moa, values, said: str):
    grant(minji(moa), 10)
    with nothing_changes():
        answer = hana.post(page_of(moa), sent(moa, *values))

    assert said in errors_of(answer)
    assert len(values_of(moa)) == 1


def test_a_value_that_exists_is_neither_changed_nor_removed(hana: Client, moa):
    old = moa.point_values.get()
    existing = {
        "point_values-TOTAL_FORMS": "1",
        "point_values-INITIAL_FORMS": "1",
        "point_values-0-id": str(old.pk),
        "point_values-0-programme": str(moa.pk),
        "point_values-0-value": "99",
        "point_values-0-currency": "EUR",
        "point_values-0-DELETE": "on",
    }
    before = values_of(moa)

    assert hana.post(page_of(moa), sent(moa) | existing).status_code == 302
    assert values_of(moa) == before


def test_who_may_only_change_programmes_records_no_value(moa):
    staff("change_programme", "view_programme")
    client = Client()
    client.login(username="sora", password=PASSWORD)

    assert client.post(page_of(moa), sent(moa, ("2025-04-01", "0.5", "KRW"))).status_code == 302
    assert len(values_of(moa)) == 1


def test_books_close_until_today_at_most_and_stay_closed(hana: Client, moa):
    today = datetime.now(SEOUL).date()  # the database's clock is not stopped

    def closing(day: date | str) -> str:
        answer = hana.post(page_of(moa), sent(moa, books_closed_until=str(day)))
        return "" if answer.status_code == 302 else errors_of(answer)

    for late in (date(2125, 1, 1), today + timedelta(days=2)):
        with nothing_changes():
            refusal = closing(late)
        assert "Books close until today," in refusal
    assert closing("2025-01-31") == ""
    for early in ("2025-01-30", ""):
        with nothing_changes():
            refusal = closing(early)
        assert "Books that are closed stay closed: not before 2025-01-31." in refusal
    assert closing("2025-01-31") == closing(today) == ""
    moa.refresh_from_db()
    assert moa.books_closed_until == today
