"""Outcomes that nobody knows, decided by what the transport can do about them.

An idempotency key, within its time: send again under the same key, and the same words. Else a look-up, as far back
as it sees: look, then decide. Neither, or no answer for hours: an e-mail is rather sent twice than not at all; an SMS
waits for a person.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from alerts.addresses import contacts
from alerts.channels import Accepted, Capabilities, Channels, capabilities_of, transport_of
from alerts.errors import Rejected, SendError
from alerts.models import Contact, Delivery
from alerts.models.delivery import Outcome, Status, Why
from alerts.sending.leases import lease, locked, move, note
from alerts.sending.next_channels import follow
from alerts.sending.notice import record
from alerts.sending.outcomes import next_call
from alerts.sending.unsolved import LOOKED_UP, Try, began_at, key_still_holds, look_up_sees, unsolved_since
from alerts.sending.untried import went_to
from alerts.stopwatch import Stopwatch

logger = logging.getLogger(__name__)

# A mail server that takes messages but answers too late would be sent the same one again and again: after so many
# outcomes that nobody knows, the delivery is given up, and a nearer reminder or a person goes on.
MOST_UNKNOWN = 3
LOOK_AGAIN = timedelta(minutes=5)  # when the provider could not say
# After the call: a provider that cannot say by then will not, and a person has to ask in another way.
ASKED_FOR = timedelta(hours=6)
BUDGET = timedelta(seconds=5)  # no look-up is begun later in a tick: with the longest search it ends within 45 s
# Decided in one transaction, and pushed ahead together when they are looked up: a worker that dies leaves no more.
AT_ONCE = 20


def decide(*, now: datetime, limit: int) -> int:
    """Decide about up to `limit` unknown outcomes whose time has come, the longest due first; returns how many."""
    watch = Stopwatch(now)
    done = 0
    while done < limit and watch.spent < BUDGET and (some := _decide_some(now, min(AT_ONCE, limit - done), watch)):
        done += some
    return done


def _decide_some(now: datetime, limit: int, watch: Stopwatch) -> int:
    due = Delivery.objects.filter(status=Status.UNKNOWN, why__in=[Why.NONE, Why.CHANGED], next_attempt_at__lte=now)
    with transaction.atomic():
        over = locked(due, "next_attempt_at", limit)
        to_look_up = [delivery for delivery in over if _decide(delivery, now)]
    if to_look_up:
        _look_up(to_look_up, watch)
    return len(over)


def _decide(delivery: Delivery, now: datetime) -> bool:
    """True: the provider is to be asked, once the transaction is over."""
    can, first = capabilities(delivery), unsolved_since(delivery.tries.all())
    if _same_key_may_go(delivery, first, can, now) and next_call(delivery, now=now):
        move(delivery, Status.UNKNOWN, status=Status.PENDING)
        return False
    if _can_be_asked(first, can, now):
        # Pushed ahead: another worker does not ask the same meanwhile.
        move(delivery, Status.UNKNOWN, status=Status.UNKNOWN, next_attempt_at=now + LOOK_AGAIN)
        return True
    _without_asking(delivery, first, can, now)
    return False


def _without_asking(delivery: Delivery, first: Try | None, can: Capabilities | None, now: datetime) -> None:
    """The provider cannot be asked, or cannot say. `first`: of the calls that are open."""
    if _same_key_may_go(delivery, first, can, now):
        _again_or_never(delivery, next_call(delivery, now=now) is not None)
    elif _rather_twice(delivery) and not _key_holds(first, can, now):
        unknown = delivery.tries.filter(outcome=Outcome.UNKNOWN).count()
        _again_or_never(delivery, unknown < MOST_UNKNOWN and next_call(delivery, now=now) is not None)
    else:
        wait_for_a_person(delivery, Status.UNKNOWN)


def _again_or_never(delivery: Delivery, again: bool) -> None:
    if again:
        move(delivery, Status.UNKNOWN, status=Status.PENDING, why=Why.NONE)
    else:
        move(delivery, Status.UNKNOWN, status=Status.DEAD, why=Why.EXHAUSTED)


def wait_for_a_person(delivery: Delivery, was: Status) -> None:
    """Nothing but a person can find out; `deliveries.decide_by_hand` is for them."""
    expires_at = delivery.reminder.expires_at  # out of the way of those that the clock decides
    move(delivery, was, status=Status.UNKNOWN, why=Why.PERSON, next_attempt_at=expires_at)


def capabilities(delivery: Delivery) -> Capabilities | None:
    """What can be done about its unknown outcome: None where another transport carries its channel by now."""
    if delivery.transport != transport_of(delivery.channel):
        return None
    return capabilities_of(delivery.channel)


def _rather_twice(delivery: Delivery) -> bool:
    return capabilities_of(delivery.channel).send_again_after_unknown


def _key_holds(first: Try | None, can: Capabilities | None, now: datetime) -> bool:
    if can is None or first is None:
        return False
    return key_still_holds(first, kept_for=can.idempotent_for, now=now, lease=lease(), longest_call=can.longest_call)


def _same_key_may_go(delivery: Delivery, first: Try | None, can: Capabilities | None, now: datetime) -> bool:
    """Whether it may be sent again under its key, as far as it is known before its words are written anew."""
    return delivery.why != Why.CHANGED and _key_holds(first, can, now)


def _can_be_asked(first: Try | None, can: Capabilities | None, now: datetime) -> bool:
    """Whether the provider can say what became of all calls that are open."""
    if can is None or not can.can_look_up or first is None:
        return False
    return look_up_sees(first, looks_back=can.looks_back, now=now, lease=lease(), longest_call=can.longest_call)


def may_call(delivery: Delivery, *, text_hash: str, contact: Contact, now: datetime) -> bool:
    """Ask just before a call: would it be a second message, if an earlier one was accepted after all?

    False: the delivery has been put back among the unknown ones. The words and the address must be the same, too: the
    provider that knows the key sends nothing, and the proof would name words that nobody got.
    """
    first = unsolved_since(delivery.tries.all()) if delivery.attempts else None
    if first is None:
        return True
    can = capabilities(delivery)
    same = text_hash == delivery.text_hash and went_to(delivery, contact)
    holds = _key_holds(first, can, now)
    if same if holds else _rather_twice(delivery):
        return True
    if _can_be_asked(first, can, now):
        why = Why.NONE if same else Why.CHANGED
        move(delivery, Status.CLAIMED, status=Status.UNKNOWN, why=why, next_attempt_at=now)
    else:
        wait_for_a_person(delivery, Status.CLAIMED)
    return False


def _look_up(deliveries: list[Delivery], watch: Stopwatch) -> None:
    with Channels() as channels:
        for delivery in deliveries:
            if watch.spent >= BUDGET:
                return  # they are looked up when their time comes again
            try:
                found = channels[delivery.channel].look_up(delivery.pk, to=_address(delivery))
            except Rejected as error:
                _failed_since(delivery, error, now=watch.now)
                continue
            except SendError as error:
                logger.info("delivery %s could not be looked up: %s", delivery.pk, error.code)
                _no_answer(delivery, watch.now)
                continue
            except Exception:
                # An answer that nobody expected must not hold up the others, nor the rest of the tick.
                logger.exception("delivery %s: unexpected failure while looking it up", delivery.pk)
                _no_answer(delivery, watch.now)
                continue
            if solve(delivery, found, code=LOOKED_UP, now=watch.now) and found:
                record([delivery], now=watch.now)


def _failed_since(delivery: Delivery, error: Rejected, *, now: datetime) -> None:
    """The provider had taken it, and it reached nobody: as if it had been refused at once."""
    delivery.attempts += 1
    with transaction.atomic():
        failed = {"status": Status.FAILED, "why": Why.REFUSED, "attempts": delivery.attempts}
        if move(delivery, Status.UNKNOWN, **failed):
            note(delivery, Outcome.REJECTED, LOOKED_UP, f"{error.answer} {error.detail}", now)
            if error.bad_address and delivery.contact and went_to(delivery, delivery.contact):
                contacts.refuse(contact=delivery.contact, now=now)
            follow(delivery, now=now)


def _no_answer(delivery: Delivery, now: datetime) -> None:
    """It is asked again, unless it could not be found out for ASKED_FOR."""
    first, can = unsolved_since(delivery.tries.all()), capabilities(delivery)
    if first and can and now >= began_at(first, lease=lease(), longest_call=can.longest_call) + ASKED_FOR:
        _without_asking(delivery, first, can, now)


def _address(delivery: Delivery) -> str:
    """Where its last call went; empty: that address is not there any more, and the search goes through all."""
    contact = delivery.contact
    return contact.address if contact and went_to(delivery, contact) else ""


def solve(delivery: Delivery, found: Accepted | None, *, code: str, now: datetime) -> bool:
    """Write down what became of an unknown outcome. None: it was not accepted, and is sent again.

    `code` says who: the provider, or a person. False: it was decided otherwise meanwhile.
    """
    last = delivery.tries.order_by("-number").first()
    sent_at = min(last.at, now) if last else now
    delivery.attempts += 1
    change: dict[str, object] = {"status": Status.PENDING, "next_attempt_at": now}
    if found:
        delivery.status, delivery.accepted_at = Status.ACCEPTED, sent_at
        change = {"status": Status.ACCEPTED, "accepted_at": sent_at, "provider_id": found.provider_id[:100]}
    with transaction.atomic():
        if not move(delivery, Status.UNKNOWN, **change, why=Why.NONE, attempts=delivery.attempts):
            return False
        outcome = Outcome.ACCEPTED if found else Outcome.NOT_SENT
        note(delivery, outcome, code, found.detail if found else "not accepted", now)
    return True
