"""Alerts for tests, made through acts only.

The stage: in Byeol (a notice duty of 30 days) Minji is granted points at NOW, 10 March 2025; they live to the end
of March 2026. Byeol writes 60, 33 and 3 days before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from alerts.addresses import contacts
from alerts.duty import extension_rules
from alerts.models import Contact, Delivery, ExtensionRule, Reminder, ReminderRule, TellingRules
from alerts.models.contact import Channel
from alerts.planning import reminders
from alerts.rules import programme_rules
from alerts.sending import deliveries
from alerts.texts import template_versions
from alerts.texts.words import built_in
from ledger import accounts, expiry
from ledger.models import Account, Programme
from tests import builders
from tests.builders import SEOUL

LAST_DAY = date(2026, 3, 31)
EXPIRES_AT = datetime(2026, 4, 1, tzinfo=SEOUL).astimezone(UTC)


def noon(day: date) -> datetime:
    """Noon in Seoul."""
    return datetime.combine(day, time(12), SEOUL).astimezone(UTC)


def before(days: int, last_day: date = LAST_DAY) -> datetime:
    """Noon in Seoul, so many days before the last day."""
    return noon(last_day - timedelta(days=days))


def byeol(*offsets: int, least_points: int = 1, **changes: object) -> Programme:
    """Byeol with its reminders: 60, 33 and 3 days before, or those given."""
    programme = builders.byeol(**changes)  # type: ignore[arg-type]
    for offset in offsets or (60, 33, 3):
        programme_rules.remind(programme=programme, offset_days=offset, least_points=least_points)
    return programme


def byeol_by_the_pack() -> Programme:
    """Byeol, which keeps the general pack of Korea in everything."""
    programme = builders.byeol(notice_channels=2)
    for offset in (60, 30, 3):
        both = (Channel.SMS, Channel.EMAIL)
        programme_rules.remind(programme=programme, offset_days=offset, channels=both, at_once=2)
    TellingRules.objects.create(programme=programme, pack="kr-general")
    return programme


def moa(*offsets: int) -> Programme:
    """Moa, without a notice duty, with these reminders."""
    programme = builders.moa()
    for offset in offsets:
        programme_rules.remind(programme=programme, offset_days=offset)
    return programme


def email(
    account: Account, address: str = "minji@example.com", *, language: str = "ko", now: datetime = builders.NOW
) -> Contact:
    """A verified address of the account's member."""
    return contacts.put(member=account.member, address=address, language=language, verified=True, now=now)


def phone(account: Account, number: str = "+821012345678", *, channel: Channel = Channel.SMS) -> Contact:
    """A verified number of the account's member."""
    return contacts.put(
        member=account.member, address=number, language="ko", verified=True, now=builders.NOW, channel=channel
    )


def alimtalk_words(programme: Programme, *languages: str) -> None:
    """Words for AlimTalk with the code of a template that was approved, in Korean or in the languages given."""
    for language in languages or ("ko",):
        template_versions.save(
            programme=programme,
            channel=Channel.ALIMTALK,
            language=language,
            words=replace(built_in("alimtalk", language), provider_code=f"points-{language}"),
            by=builders.STAFF,
            now=builders.NOW,
        )


def by_channels(programme: Programme, *channels: str, at_once: int = 1) -> None:
    """The programme's reminders go out on these channels, in this order."""
    ReminderRule.objects.filter(programme=programme).update(channels=list(channels), at_once=at_once)


def on_channels() -> list[tuple[str, str, str]]:
    """(channel, status, reason) of all deliveries, in the order in which they were made."""
    return list(Delivery.objects.order_by("created_at", "pk").values_list("channel", "status", "why"))


def minji(programme: Programme) -> Account:
    """Minji with an address."""
    account = builders.minji(programme)
    email(account)
    return account


def member(programme: Programme, reference: str, points: int, **more: Any) -> Account:
    """One of many: a member with an address made of the reference, and points."""
    account = accounts.open_account(programme=programme, reference=reference)
    email(account, f"{reference}@example.com")
    builders.grant(account, points, **more)
    return account


def active_rule(programme: Programme, **changes: int) -> ExtensionRule:
    """Active in the last 90 days: 30 days more, once, when 70 days are left."""
    terms = {"active_days": 90, "extend_days": 30, "most_times": 1, "days_before": 70}
    return programme_rules.extend_active(programme=programme, **(terms | changes))


def plan(now: datetime) -> None:
    """Plan what is due and make its messages."""
    reminders.plan(now=now, limit=1_000)
    reminders.fan_out(now=now, limit=1_000)


def tick(now: datetime) -> None:
    """One round of all ticks."""
    extension_rules.extend(now=now, limit=1_000)
    plan(now)
    deliveries.deliver(now=now, limit=1_000)
    deliveries.reap(now=now, limit=1_000)
    expiry.sweep(now=now)


def the_delivery() -> Delivery:
    """The only delivery there is."""
    return Delivery.objects.select_related("reminder__account", "reminder__programme").get()


def planned() -> list[tuple[str, date, int]]:
    """(member, last day, offset) of all reminders."""
    rows = Reminder.objects.order_by("pk").values_list("account__member__reference", "expires_on", "offset_days")
    return list(rows)


def states() -> list[tuple[int, str, str]]:
    """(offset, status, reason) of all deliveries, in the order of their reminders."""
    rows = Delivery.objects.order_by("reminder", "resend_no")
    return list(rows.values_list("reminder__offset_days", "status", "why"))
