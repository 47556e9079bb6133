"""Programmes, policies and members in the admin."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import BEGINNING, Account, Member, Policy, Programme
from tests.builders import NOW, grant, jun, minji
from tests.looking import nothing_changes
from tests.windows import stop_clock

POLICY = {
    "policies-TOTAL_FORMS": "1",
    "policies-INITIAL_FORMS": "0",
    "policies-0-effective_from_0": "2020-01-01",
    "policies-0-effective_from_1": "00:00",
    "policies-0-origin": "",
    "policies-0-model": "rolling",
    "policies-0-count": "12",
    "policies-0-unit": "months",
    "policies-0-rounding": "month",
    "policies-0-notice_days": "30",
    "policies-0-notice_slack": "3",
    "policies-0-fixed_month": "0",
    "policies-0-fixed_day": "0",
    "policies-0-spendable_after_days": "0",
    "policies-0-notice_max_days": "0",
    "policies-0-notice_channels": "1",
    "policies-0-restored_floor_days": "30",
    "policies-0-reinstate_window_days": "0",
    "policies-0-reinstate_life_days": "30",
    "policies-0-clawback_beyond": "debt",
    "policies-0-announced_on": "",
}
FROM_APRIL = {"effective_from_0": "2025-04-01", "effective_from_1": "00:00"}
PROGRAMME = {
    "code": "haneul",
    "name": "Haneul Air",
    "unit": "mile",
    "zone": "Asia/Seoul",
    "language": "ko",
    "earn_rate": "1",
    "policy_notice_days": "30",
    "cooling_off_days": "14",
    "books_closed_until": "",
    "point_values-TOTAL_FORMS": "1",
    "point_values-INITIAL_FORMS": "0",
    "point_values-0-since_0": "",
    "point_values-0-since_1": "",
    "point_values-0-value": "1.5",
    "point_values-0-currency": "KRW",
}
NO_VALUE = {name: value for name, value in PROGRAMME.items() if not name.startswith("point_values")} | {
    "point_values-TOTAL_FORMS": "0",
    "point_values-INITIAL_FORMS": "0",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


def alone_form(**changes: str) -> dict[str, str]:
    """What the form of one policy sends: from 1 April 2025 on, unless changed."""
    first = {key.removeprefix("policies-0-"): value for key, value in POLICY.items() if "-0-" in key}
    return first | FROM_APRIL | changes


def errors_of(answer) -> str:
    assert answer.status_code == 200
    return str(answer.context["errors"])


def test_a_programme_is_made_with_its_first_policy(hana: Client):
    answer = hana.post("/admin/ledger/programme/add/", PROGRAMME | POLICY)

    assert answer.status_code == 302
    programme = Programme.objects.get()
    assert (programme.code, programme.unit) == ("haneul", "mile")
    policy = programme.policies.get()
    assert (policy.count, policy.unit, policy.rounding, policy.notice_days) == (12, "months", "month", 30)
    worth = programme.point_values.get()
    assert (str(worth), worth.since) == ("1.5 KRW", BEGINNING)
    assert (worth.recorded_at, worth.actor) == (NOW, f"staff:{User.objects.get().pk}")
    grant(minji(programme), 100)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zone": "Mars/Olympus"}, "is not a time zone"),
        ({"code": "Big"}, "Small letters, digits and hyphens only."),
        ({"point_values-0-currency": "won"}, "Three capital letters."),
        ({"point_values-0-value": "-1"}, "greater than or equal to 0"),
        ({"point_values-TOTAL_FORMS": "0"}, "Please submit at least 1 form."),
        ({"policies-TOTAL_FORMS": "0"}, "Please submit at least 1 form."),
        ({"policies-0-count": "0"}, "A time after something needs a number of at least 1"),
        ({"policies-0-count": "2000"}, "At most 1200 Months."),
        ({"policies-0-effective_from_0": ""}, "This field is required."),
        ({"policies-0-notice_days": "5000"}, "less than or equal to 1000"),
    ],
)
def test_bad_input_is_said_and_makes_nothing(hana: Client, change: dict, said: str):
    with nothing_changes():
        answer = hana.post("/admin/ledger/programme/add/", PROGRAMME | POLICY | change)
        shown = answer.content.decode()

    assert answer.status_code == 200
    assert said in shown


def test_a_policy_that_exists_stays_and_a_new_one_follows(hana: Client, moa):
    old = moa.policies.get()
    url = f"/admin/ledger/programme/{moa.pk}/change/"
    named = {name: value for name, value in NO_VALUE.items() if name not in ("code", "zone")} | {"name": "Moa"}
    existing = {
        "policies-TOTAL_FORMS": "2",
        "policies-INITIAL_FORMS": "1",
        "policies-0-id": str(old.pk),
        "policies-0-programme": str(moa.pk),
        "policies-0-count": "99",  # an attempt to rewrite what lots were dated by
        "policies-0-DELETE": "on",
    }
    new = {key.replace("-0-", "-1-"): value for key, value in POLICY.items() if "-0-" in key}
    new |= {f"policies-1-{name}": value for name, value in FROM_APRIL.items()}

    assert hana.post(url, named | existing | new).status_code == 302
    assert sorted(moa.policies.values_list("count", "notice_days")) == [(12, 0), (12, 30)]
    assert Policy.objects.get(pk=old.pk).count == 12


def test_a_policy_can_be_added_alone_but_not_changed_or_deleted(hana: Client, moa):
    policy = moa.policies.get()
    alone = alone_form()

    with nothing_changes():
        assert hana.post(f"/admin/ledger/policy/{policy.pk}/change/", alone).status_code == 403
        assert hana.post(f"/admin/ledger/policy/{policy.pk}/delete/", {"post": "yes"}).status_code == 403
    assert hana.get(f"/admin/ledger/policy/{policy.pk}/change/").status_code == 200
    assert hana.post("/admin/ledger/policy/add/", alone | {"programme": str(moa.pk)}).status_code == 302
    assert moa.policies.count() == 2


def test_the_code_and_the_zone_of_a_programme_stay(hana: Client, moa):
    changed = NO_VALUE | {"code": "other", "zone": "Europe/London", "name": "Moa Plus", "unit": "P", "language": "en"}
    money = {"earn_rate": "0.01"}
    none = {"policies-TOTAL_FORMS": "0", "policies-INITIAL_FORMS": "0"}

    assert hana.post(f"/admin/ledger/programme/{moa.pk}/change/", changed | money | none).status_code == 302
    moa.refresh_from_db()
    assert (moa.code, moa.zone, moa.name, moa.language) == ("moa", "Asia/Seoul", "Moa Plus", "en")


def test_a_programme_is_never_deleted(hana: Client, moa):
    with nothing_changes():
        assert hana.post(f"/admin/ledger/programme/{moa.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_new_member_gets_an_account(hana: Client, moa):
    user = User.objects.create_user("minji")
    answer = hana.post("/admin/ledger/member/add/", {"programme": moa.pk, "reference": "M-1", "user": user.pk})

    assert answer.status_code == 302
    account = Account.objects.get(member__reference="M-1")
    assert (account.programme, account.member.user, account.balance) == (moa, user, 0)
    grant(account, 100)


def test_a_member_that_exists_is_refused(hana: Client, moa):
    minji(moa)
    with nothing_changes():
        answer = hana.post("/admin/ledger/member/add/", {"programme": moa.pk, "reference": "minji"})

    assert "already exists" in errors_of(answer)


def test_a_reference_that_cannot_be_printed_is_refused(hana: Client, moa):
    with nothing_changes():
        answer = hana.post("/admin/ledger/member/add/", {"programme": moa.pk, "reference": "a\u200bb"})

    assert "1 to 100 printable characters" in errors_of(answer)


def test_of_a_member_only_the_sign_in_can_be_changed(hana: Client, moa):
    member = minji(moa).member
    user = User.objects.create_user("minji")
    url = f"/admin/ledger/member/{member.pk}/change/"

    assert hana.post(url, {"user": user.pk, "reference": "other", "programme": ""}).status_code == 302
    member.refresh_from_db()
    assert (member.reference, member.programme, member.user) == ("minji", moa, user)

    hana.post(url, {"user": ""})
    assert Member.objects.get(pk=member.pk).user is None


def test_a_user_is_one_member_of_a_programme_at_most(hana: Client, moa):
    first, second = minji(moa).member, jun(moa).member
    user = User.objects.create_user("minji")
    hana.post(f"/admin/ledger/member/{first.pk}/change/", {"user": user.pk})
    with nothing_changes():
        answer = hana.post(f"/admin/ledger/member/{second.pk}/change/", {"user": user.pk})

    assert "This user is another member of this programme already." in errors_of(answer)


def test_a_member_is_never_deleted(hana: Client, moa):
    member = minji(moa).member
    with nothing_changes():
        assert hana.post(f"/admin/ledger/member/{member.pk}/delete/", {"post": "yes"}).status_code == 403


def test_what_a_whole_programme_goes_by_can_be_set(hana: Client):
    own = {"policy_notice_days": "60", "cooling_off_days": "7", "books_closed_until": "2025-01-01"}
    assert hana.post("/admin/ledger/programme/add/", PROGRAMME | POLICY | own).status_code == 302

    programme = Programme.objects.get()
    assert (programme.policy_notice_days, programme.cooling_off_days) == (60, 7)
    assert programme.books_closed_until == date(2025, 1, 1)


def test_every_term_of_a_policy_is_in_its_form(hana: Client, moa):
    """Whoever adds a term to the policy decides where it stands in the form."""
    asked = set(hana.get("/admin/ledger/policy/add/").context["adminform"].form.fields)
    stored = {field.name for field in Policy._meta.get_fields() if field.concrete} - {"id"}

    assert asked == stored | {"override"}  # the reason with which one may break the pack
    terms = {"model": "fixed_day", "count": "6", "fixed_month": "12", "fixed_day": "31", "accepts_waivers": "on"}
    terms |= {"notice_max_days": "60", "notice_channels": "2", "clawback_beyond": "write_off"}
    terms |= {"announced_on": "2025-01-01", "programme": str(moa.pk)}
    assert hana.post("/admin/ledger/policy/add/", alone_form(**terms)).status_code == 302
    policy = moa.policies.get(model="fixed_day")
    assert (policy.fixed_month, policy.fixed_day, policy.notice_max_days, policy.notice_channels) == (12, 31, 60, 2)
    assert (policy.accepts_waivers, policy.clawback_beyond) == (True, "write_off")


@pytest.mark.parametrize("where", ["alone", "with its programme"])
def test_a_later_policy_cannot_reach_back(hana: Client, moa, where: str):
    refused = added(hana, moa, where, effective_from_0="2025-03-09")

    assert refused["effective_from"] == ["A policy takes effect from now on; it cannot reach back."]


@pytest.mark.parametrize("where", ["alone", "with its programme"])
@pytest.mark.parametrize("announced", ["", "2025-03-03"])
def test_a_worse_policy_must_have_been_announced_in_time(hana: Client, moa, where: str, announced: str):
    refused = added(hana, moa, where, count="6", announced_on=announced)

    assert refused["announced_on"] == [
        "New points would be worse than under the policy before (points expire). Members must be told of that by "
        "March 2, 2025, 30 days before it takes effect; enter the day on which they were told."
    ]


def test_a_worse_policy_that_was_announced_in_time_is_added(hana: Client, moa):
    sent = alone_form(count="6", announced_on="2025-03-02", programme=str(moa.pk))

    assert hana.post("/admin/ledger/policy/add/", sent).status_code == 302


def added(hana: Client, moa: Programme, where: str, **changes: str) -> dict[str, list[str]]:
    """The errors of a policy that is added in either of the two forms; nothing was written."""
    with nothing_changes():
        if where == "alone":
            answer = hana.post("/admin/ledger/policy/add/", alone_form(programme=str(moa.pk), **changes))
            return dict(answer.context["adminform"].form.errors)
        new = {f"policies-1-{name}": value for name, value in alone_form(**changes).items()}
        count = {"policies-TOTAL_FORMS": "2", "policies-INITIAL_FORMS": "1"}
        ids = {"policies-0-id": str(moa.policies.get().pk), "policies-0-programme": str(moa.pk)}
        answer = hana.post(f"/admin/ledger/programme/{moa.pk}/change/", NO_VALUE | new | count | ids)
        return dict(answer.context["inline_admin_formsets"][0].formset.forms[1].errors)


def test_policies_follow_one_at_a_time(hana: Client, moa):
    new = {f"policies-{n}-{name}": value for n in (0, 1) for name, value in alone_form(count=str(20 + n)).items()}
    new["policies-1-effective_from_0"] = "2025-05-01"
    count = {"policies-TOTAL_FORMS": "2", "policies-INITIAL_FORMS": "0"}
    with nothing_changes():
        answer = hana.post(f"/admin/ledger/programme/{moa.pk}/change/", NO_VALUE | new | count)
        shown = answer.content.decode()

    assert "Please add one policy at a time." in shown
