"""As of: what an account or a programme held at any past instant, and what was believed then; from facts alone.

`at` is the instant asked about: facts with business time up to it count, and what the clock had done by then counts as
done, whether anybody had written it or not. `known_at` leaves out what was recorded later; without it, all that is on
record now counts, such as a grant that was dated back since. With `known_at=at` the answer is what a member saw then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ledger.allocation import LotState
from ledger.book import Book
from ledger.inputs import check_instant
from ledger.models import Account
from ledger.policies import Rules
from ledger.recounting import Moment, one_snapshot, read_account, read_closing, read_holds, read_programme
from ledger.rules import rules_of
from ledger.standing import AccountFacts, Balance, Standing, is_due, open_book, run_on, standing


def balance(account: Account, *, at: datetime, known_at: datetime | None = None) -> Balance:
    """What the account held at `at`, as known at `known_at`. Points of both kinds, debt, and points on hold."""
    return stood(account, at=at, known_at=known_at).balance()


def lots(account: Account, *, at: datetime, known_at: datetime | None = None) -> list[LotState]:
    """The account's live lots at `at` in redemption order, with the dates and gates that they had.

    Points that came back by the clock and that nobody has written yet may stand in lots without an id.
    """
    return stood(account, at=at, known_at=known_at).live()


def stood(account: Account, *, at: datetime, known_at: datetime | None = None) -> Standing:
    """How the account stood at `at`. Raises BadInput for a time without a zone."""
    moment = _moment(at, known_at)
    with one_snapshot():
        rules = rules_of(account.programme_id)
        facts = read_account(account.pk, moment, rules) or AccountFacts(account.pk, account.programme_id)
        return _stood(facts, moment, rules)


def standings(programme_id: int, *, at: datetime, known_at: datetime | None = None) -> Iterator[Standing]:
    """How every account of a programme to which anything had happened stood at `at`, by account id.

    Streamed, one account in memory at a time, inside one transaction that only reads: go through it to the end before
    doing anything else. Raises BadInput for a time without a zone.
    """
    moment = _moment(at, known_at)
    with one_snapshot():
        rules = rules_of(programme_id)
        for facts in read_programme(programme_id, moment, rules):
            yield _stood(facts, moment, rules)


def books(programme_id: int, *, at: datetime, account_id: int | None = None) -> Iterator[tuple[Standing, Book | None]]:
    """How each account stands at `at`, by all that is on record; with a book on which the clock can go on, where it has
    more to do than to end lots. For forecasts."""
    moment = _moment(at, None)
    with one_snapshot():
        rules = rules_of(programme_id)
        if account_id is None:
            found = read_programme(programme_id, moment, rules)
        else:
            found = iter([read_account(account_id, moment, rules) or AccountFacts(account_id, programme_id)])
        for facts in found:
            if facts.on_hold or (facts.closes_at and not facts.ended):
                book = book_at(facts, moment, rules)
                yield run_on(book, at), book
            else:
                yield standing(facts, rules, at), None


def _moment(at: datetime, known_at: datetime | None) -> Moment:
    if known_at is not None:
        check_instant(known_at, field="known_at")
    return Moment(check_instant(at, field="at"), known_at)


def _stood(facts: AccountFacts, moment: Moment, rules: Rules) -> Standing:
    if is_due(facts, moment.at):
        return run_on(book_at(facts, moment, rules), moment.at)
    return standing(facts, rules, moment.at)


def book_at(facts: AccountFacts, moment: Moment, rules: Rules) -> Book:
    """A book of the account as the facts have it, on which the clock can go on; read again with its empty lots."""
    whole = read_account(facts.account_id, moment, rules, with_empty_lots=True)
    assert whole is not None
    of_lots = [lot.lot for lot in whole.lots]
    holds = read_holds(facts.account_id, moment, of_lots)
    return open_book(whole, rules, moment.at, holds, read_closing(facts.account_id, moment))
