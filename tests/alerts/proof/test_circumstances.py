from datetime import date

from alerts.addresses import consents, contacts, suppressions, traces
from alerts.duty import untold, waivers
from alerts.models import Contact, Delivery, Suppression
from alerts.proof import circumstances
from alerts.proof.readers import Reader
from ledger.actors import Actor
from ledger.models import Extension, Lot
from tests import alert_builders, builders
from tests.alert_builders import EXPIRES_AT, LAST_DAY, before, the_delivery
from tests.alerts.proof import scene
from tests.looking import plan_of

STAFF, ANYBODY = Reader(sees_addresses=True, sees_staff=True), Reader()


def test_a_notice_stands_with_its_evidence_and_its_withdrawal(minji, sink):
    scene.came_back(minji)
    (noted,) = circumstances.notices(minji, [EXPIRES_AT], reader=ANYBODY)
    assert (noted.expires_on, noted.told_on, noted.channel) == (LAST_DAY, before(60).date(), "email")
    assert (noted.evidence, noted.waiver, noted.by) == (f"delivery:{the_delivery().pk}", "", "alerts")
    assert noted.lots == [Lot.objects.get().pk]
    assert (noted.withdrawn_at, noted.withdrawn_why) == (before(50), "the message came back")
    assert (noted.seq, noted.withdrawn_seq) == (2, 3)
    assert circumstances.notices(minji, [], reader=ANYBODY) == []


def test_a_notice_that_stands_has_no_withdrawal(minji, sink):
    scene.told()
    (noted,) = circumstances.notices(minji, [EXPIRES_AT], reader=ANYBODY)
    assert (noted.withdrawn_seq, noted.withdrawn_at, noted.withdrawn_why) == (None, None, "")


def test_a_waiver_says_why_nobody_need_be_told(db):
    programme = alert_builders.byeol(accepts_waivers=True)
    jun = builders.jun(programme)
    builders.grant(jun, 10)
    waivers.record_waivers(now=before(31), limit=10)
    (noted,) = circumstances.notices(jun, [EXPIRES_AT], reader=ANYBODY)
    assert (noted.waiver, noted.waiver_said, noted.told_on) == ("no_contact", "no contact is known", before(31).date())
    assert noted.evidence == "no_contact on 2026-02-28, 10 points"


def test_a_date_that_moved_because_nobody_was_told_says_so(minji, sink):
    scene.came_back(minji)
    (move,) = circumstances.moves(minji, [EXPIRES_AT], reader=ANYBODY)
    assert (move.untold, move.reason, move.by, move.at) == (True, "nobody was told in time", "alerts", before(20))
    assert (move.was, move.lots) == (EXPIRES_AT, [Lot.objects.get().pk])
    assert move.until == Lot.objects.get().expires_at


def test_a_date_that_staff_moved_is_no_extension_for_want_of_telling(minji):
    lot = Lot.objects.get()
    builders.extend(minji, [lot.pk], date(2026, 6, 30), now=before(100))
    (move,) = circumstances.moves(minji, [EXPIRES_AT], reader=STAFF)
    assert (move.untold, move.reason, move.by) == (False, "a mistake of ours", "staff:1")
    assert circumstances.moves(minji, [EXPIRES_AT], reader=ANYBODY)[0].by == "staff"


def test_a_promise_that_was_postponed_and_kept_its_date_moved_nothing(byeol):
    jun = builders.jun(byeol)
    lot = builders.lot_of(builders.grant(jun, 10, spendable_at=builders.NOW + builders.days(1)))
    builders.postpone(jun, [lot.pk], builders.NOW + builders.days(2))
    assert Extension.objects.get().was == EXPIRES_AT
    assert circumstances.moves(jun, [EXPIRES_AT], reader=STAFF) == []


def test_of_two_who_were_told_each_has_their_own_notice(minji, byeol, sink):
    jun = alert_builders.member(byeol, "jun", 10)
    builders.redeem(jun, 1, key="sale")
    builders.refund(jun, 1, "sale")  # it undoes entry 2, and Minji's entry 2 is her notice
    scene.told()
    for account in (minji, jun):
        (noted,) = circumstances.notices(account, [EXPIRES_AT], reader=ANYBODY)
        assert noted.evidence == f"delivery:{Delivery.objects.get(reminder__account=account).pk}"
        assert noted.withdrawn_seq is None


def test_of_two_whose_dates_moved_each_has_their_own_lots_by_their_old_date(minji, byeol):
    jun = alert_builders.member(byeol, "jun", 10)
    untold.extend_untold(now=before(20), limit=10)
    for account in (minji, jun):
        (move,) = circumstances.moves(account, [EXPIRES_AT], reader=ANYBODY)
        assert move.lots == [Lot.objects.get(account=account).pk]
        moved_to = Lot.objects.get(account=account).expires_at
        assert moved_to is not None
        assert circumstances.moves(account, [moved_to], reader=ANYBODY) == []


def test_words_of_others_are_not_shown_and_the_newest_stands_first(minji, byeol):
    scene.says_no(builders.jun(byeol))
    assert circumstances.words(minji, reader=ANYBODY) == []
    scene.says_no(minji)
    consents.say(
        member=minji.member,
        channel="email",
        purpose="notice",
        given=True,
        source="preferences",
        by=Actor("member", "7"),
        now=before(64),
    )
    assert [word.given for word in circumstances.words(minji, reader=ANYBODY)] == [True, False]


def test_words_of_the_member_are_shown_and_who_of_the_staff_took_them_only_to_staff(minji):
    scene.says_no(minji)
    (word,) = circumstances.words(minji, reader=STAFF)
    assert (word.at, word.channel_said, word.given) == (before(65), "SMS", False)
    assert (word.purpose, word.source, word.by) == ("notice", "a call", "staff:3")
    assert circumstances.words(minji, reader=ANYBODY)[0].by == "staff"


def test_suppressions_of_the_members_addresses_are_shown_and_of_no_others(minji, sink):
    scene.came_back(minji)
    Suppression.objects.create(channel="email", address="jun@example.com", why="complaint", at=before(70))
    Suppression.objects.create(channel="sms", address="minji@example.com", why="complaint", at=before(70))
    (stop,) = circumstances.stops(minji, circumstances.addresses(minji), reader=ANYBODY)
    assert (stop.at, stop.lifted_at, stop.said) == (before(50), before(40), "refused for good")
    assert (stop.address, stop.note) == ("m***@example.com", "")
    assert circumstances.stops(minji, circumstances.addresses(minji), reader=STAFF)[0].note == "smtp"


def test_a_suppression_is_found_however_its_address_is_spelt(byeol):
    jun = builders.jun(byeol)
    alert_builders.email(jun, "Jun@example.com")
    suppressions.add(channel="email", address="jun@example.com", why="complaint", now=before(70))
    assert [stop.at for stop in circumstances.stops(jun, circumstances.addresses(jun), reader=ANYBODY)] == [before(70)]


def test_a_suppression_of_an_erased_address_that_was_written_to_is_shown_without_it(minji, byeol, sink):
    jun = alert_builders.member(byeol, "jun", 10)
    scene.told()
    for address in ("minji@example.com", "jun@example.com"):
        suppressions.add(channel="email", address=address, why="complaint", now=before(50))
        contacts.erase(contact=Contact.objects.get(address=address))
    Suppression.objects.create(channel="sms", address=traces.marked("minji@example.com"), why="complaint", at=before(9))
    for account in (minji, jun):
        (stop,) = circumstances.stops(account, circumstances.addresses(account), reader=STAFF)
        assert (stop.at, stop.address, stop.said) == (before(50), "", "complaint")


def test_suppressions_are_found_by_their_address_and_not_by_reading_them_all(minji, django_assert_num_queries):
    kept = circumstances.addresses(minji)
    with django_assert_num_queries(2) as asked:
        circumstances.stops(minji, kept, reader=ANYBODY)
    said = plan_of(asked.captured_queries[1]["sql"])
    assert "suppression_of_address" in said, said


def test_addresses_are_shown_as_the_reader_may_see_them(minji):
    alert_builders.phone(minji)
    shown = [circumstances.shown(one, reader=ANYBODY) for one in circumstances.addresses(minji)]
    assert [(one.channel_said, one.address) for one in shown] == [
        ("E-mail", "m***@example.com"),
        ("SMS", "+82***5678"),
    ]
    contacts.erase(contact=Contact.objects.get(channel="sms"))
    assert len(circumstances.addresses(minji)) == 1
