"""What the database itself refuses, tried with plain SQL, past every line of Python."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from ledger import columns
from ledger.kinds import SIGN, Kind
from ledger.models import Account, Allocation, Entry, Extension, Lot, Notice
from tests import builders
from tests.builders import NOW, days, grant, lot_of, redeem, tell
from tests.looking import nothing_changes

pytestmark = pytest.mark.django_db

FACTS = ("entry", "allocation", "extension", "notice", "pointvalue")


@pytest.fixture
def minji(db):
    """Minji in Byeol, with a row in every table of facts."""
    minji = builders.minji(builders.byeol(count=2))
    lot = lot_of(grant(minji, 100, key="order:1"))
    grant(minji, 10)
    builders.extend(minji, [lot.pk], (NOW + days(100)).date())
    tell(minji, [lot.pk], told_on=NOW.date(), now=NOW)
    redeem(minji, 4)
    check_now()
    return minji


def sql(statement: str, **values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def check_now() -> None:
    """Let the deferred checks speak, as they do at commit."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")


def commit(statement: str, **values) -> None:
    """Run one statement and the checks of a commit."""
    with transaction.atomic():
        sql(statement, **values)
        check_now()


def refused(statement: str, by: str, **values) -> None:
    """The statement is refused, at once or at commit, by the check that is named or says so; nothing is changed."""
    with nothing_changes(), pytest.raises(IntegrityError, match=by):
        commit(statement, **values)


@pytest.mark.parametrize("table", FACTS)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger_{0} SET id = id", "UPDATE ledger_{0} SET id = id + 1000", "DELETE FROM ledger_{0}"],
)
def test_a_fact_is_neither_changed_nor_deleted(minji, table, statement):
    refused(statement.format(table), f"ledger_{table} is append-only")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("entry", "amount", "amount + 1"),
        ("entry", "reason", "'another'"),
        ("entry", "key", "NULL"),
        ("entry", "hash", r"'\x00'"),
        ("allocation", "delta", "delta + 1"),
        ("extension", "until", "until + interval '1 day'"),
        ("notice", "told_on", "told_on - 1"),
        ("notice", "lots", "'{1}'"),
        ("pointvalue", "value", "value + 1"),
        ("pointvalue", "since", "since - interval '1 day'"),
        ("pointvalue", "currency", "'EUR'"),
    ],
)
def test_no_column_of_a_fact_is_changed(minji, table, column, value):
    refused(f"UPDATE ledger_{table} SET {column} = {value}", "append-only: UPDATE refused")


@pytest.mark.parametrize("table", ["lot", "account"])
def test_a_lot_and_an_account_are_not_deleted(minji, table):
    refused(f"DELETE FROM ledger_{table}", "append-only: DELETE refused")


@pytest.mark.parametrize("table", [*FACTS, "lot", "account"])
@pytest.mark.parametrize("tail", ["", " CASCADE", " RESTART IDENTITY CASCADE"])
def test_no_table_of_the_ledger_is_truncated(minji, table, tail):
    """The test run has these triggers disabled for its own flush; here they are as everywhere else."""
    with nothing_changes(), transaction.atomic():
        for every in (*FACTS, "lot", "account"):
            sql(f"ALTER TABLE ledger_{every} ENABLE TRIGGER {every}_no_truncate")
        with pytest.raises(DatabaseError, match="TRUNCATE refused|cannot truncate"), transaction.atomic():
            sql(f"TRUNCATE ledger_{table}{tail}")
        transaction.set_rollback(True)


@pytest.mark.parametrize("table", ["programme", "policy", "member"])
def test_a_truncate_that_cascades_into_the_ledger_is_refused(minji, table):
    with nothing_changes(), transaction.atomic():
        for every in (*FACTS, "lot", "account"):
            sql(f"ALTER TABLE ledger_{every} ENABLE TRIGGER {every}_no_truncate")
        sql("ALTER TABLE ledger_policy ENABLE TRIGGER policy_no_truncate")
        with pytest.raises(IntegrityError, match="TRUNCATE refused"), transaction.atomic():
            sql(f"TRUNCATE ledger_{table} CASCADE")
        transaction.set_rollback(True)


def test_the_triggers_against_truncating_are_enabled_in_a_fresh_database():
    """`conftest.py` disables them by name: here are those names, so that none is forgotten in the migrations."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE '%no_truncate' AND tgname NOT LIKE '%\\_\\_%'")
        found = {name for (name,) in cursor}
    assert found >= {f"{table}_no_truncate" for table in (*FACTS, "lot", "account", "policy")}


@pytest.mark.parametrize("until", ["NULL", "'2025-02-28'"])
def test_books_that_are_closed_stay_closed_whoever_asks(minji, until):
    sql("UPDATE ledger_programme SET books_closed_until = '2025-03-01'")
    refused(f"UPDATE ledger_programme SET books_closed_until = {until}", "stay closed")
    sql("UPDATE ledger_programme SET books_closed_until = '2025-03-02'")


def test_an_entry_can_make_more_lots_than_a_short_number_counts():
    """A hold over so many lots that are dying comes back as one entry with a lot for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT data_type FROM information_schema.columns
                WHERE table_name = 'ledger_lot' AND column_name = 'number'"""
        )
        assert cursor.fetchone() == ("integer",)
    assert columns.LOT["number"] == "integer"


def test_no_setting_lets_anybody_past_the_triggers(minji):
    for setting in ("pointkeep.unlocked", "pointkeep.allow", "app.maintenance"):
        sql(f"SET LOCAL {setting} = 'on'")
    refused("DELETE FROM ledger_entry", "append-only: DELETE refused")
    refused("UPDATE ledger_lot SET granted = granted + 1", "a lot keeps its facts")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "id + 1000"),
        ("account_id", "account_id + 1"),
        ("programme_id", "programme_id + 1"),
        ("seq", "seq + 10"),
        ("number", "number + 1"),
        ("family_seq", "family_seq + 1"),
        ("policy_id", "policy_id + 1"),
        ("origin", "'promotion'"),
        ("granted", "granted + 1"),
        ("notice_days", "notice_days - 1"),
        ("notice_slack", "notice_slack + 1"),
        ("first_spendable_at", "first_spendable_at + interval '1 day'"),
        ("first_expires_at", "first_expires_at + interval '1 day'"),
        ("first_expires_at", "NULL"),
    ],
)
def test_a_lot_keeps_its_facts(minji, column, value):
    refused(f"UPDATE ledger_lot SET {column} = {value}", "a lot keeps its facts")


def test_only_the_projections_of_a_lot_may_change(minji):
    columns = {field.column for field in Lot._meta.concrete_fields}
    with transaction.atomic():
        sql("UPDATE ledger_lot SET expires_at = expires_at + interval '1 day', spendable_at = spendable_at")
        sql("UPDATE ledger_lot SET gated = NOT gated WHERE notice_days > 0")
        sql("UPDATE ledger_lot SET moved_untold = NOT moved_untold")
        sql("UPDATE ledger_lot SET remaining = 0, open = false")
        transaction.set_rollback(True)
    kept = {"id", "account_id", "programme_id", "seq", "number", "family_seq", "policy_id", "origin", "granted"}
    kept |= {"notice_days", "notice_slack", "first_spendable_at", "first_expires_at"}
    assert columns - kept == {"remaining", "open", "expires_at", "spendable_at", "gated", "moved_untold"}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("remaining = -1", "lot_open_means_remaining|lot_remaining_within_granted"),
        ("remaining = -1, open = false", "lot_open_means_remaining|lot_remaining_within_granted"),
        ("remaining = granted + 1", "lot_remaining_within_granted"),
        ("remaining = 0", "lot_open_means_remaining"),
        ("open = false", "lot_open_means_remaining"),
        ("expires_at = NULL, gated = true", "lot_gated_by_a_duty"),
    ],
)
def test_a_lot_holds_between_nothing_and_what_was_granted(minji, change, constraint):
    refused(f"UPDATE ledger_lot SET {change}", constraint)


def test_a_lot_without_a_duty_is_not_gated(moa):
    grant(builders.minji(moa), 10)
    refused("UPDATE ledger_lot SET gated = true", "lot_gated_by_a_duty")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("balance = -1", "account_balance_not_negative"),
        ("debt = -1", "account_debt_not_negative"),
        ("debt = 1", "account_in_debt_holds_nothing"),
    ],
)
def test_an_account_holds_no_negative_and_no_points_beside_debt(minji, change, constraint):
    refused(f"UPDATE ledger_account SET {change}", constraint)


ENTRY = {
    "seq": 90,
    "kind": "note",
    "amount": 0,
    "debt_delta": 0,
    "balance_after": 0,
    "debt_after": 0,
    "key": None,
    "body_hash": None,
    "undoes_seq": None,
    "effective_at": NOW,
    "recorded_at": NOW,
}


def entry_sql(account: Account, **changes) -> tuple[str, dict]:
    """A plain INSERT of an entry: a note unless changed."""
    values = {"account_id": account.pk, "programme_id": account.programme_id} | ENTRY | changes
    names = ", ".join(values)
    holes = ", ".join(f"%({name})s" for name in values)
    statement = f"""INSERT INTO ledger_entry ({names}, actor, reason, reference, hash_version, hash)
                    VALUES ({holes}, 'api:shop', '', '', 1, '\\x00')"""
    return statement, values


def entry_refused(account: Account, by: str, **changes) -> None:
    statement, values = entry_sql(account, **changes)
    refused(statement, by, **values)


def test_a_plain_note_would_be_let_in(minji):
    """So that the refusals below are about what they name."""
    statement, values = entry_sql(minji)
    with transaction.atomic():
        sql(statement, **values)
        check_now()
        transaction.set_rollback(True)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("amount", [-5, 0, 5])
def test_a_kind_has_only_its_own_sign(minji, kind, amount):
    """A debt that makes up for the amount keeps the sums right, so that only the sign is wrong."""
    wrong = (amount > 0) - (amount < 0) != SIGN[kind]
    statement, values = entry_sql(minji, kind=kind.value, amount=amount, debt_delta=-amount)
    if wrong:
        refused(statement, "entry_kind_is_declared_with_its_sign", **values)
    else:
        with transaction.atomic():
            sql(statement, **values)
            check_now()
            transaction.set_rollback(True)


@pytest.mark.parametrize("kind", ["transfer", "gift", "", "GRANT"])
def test_a_kind_that_is_not_declared_cannot_happen(minji, kind):
    for amount in (-1, 0, 1):
        entry_refused(minji, "entry_kind_is_declared_with_its_sign", kind=kind, amount=amount, debt_delta=-amount)


def test_an_entry_does_not_take_effect_after_it_was_recorded(minji):
    entry_refused(minji, "entry_effective_not_later", effective_at=NOW + days(1))


def test_an_entry_leaves_no_negative_behind(minji):
    entry_refused(minji, "entry_balance_not_negative", balance_after=-1)
    entry_refused(minji, "entry_debt_not_negative", debt_after=-1)


def test_a_number_is_taken_once(minji):
    entry_refused(minji, "entry_seq_once", seq=1)


def test_a_key_is_used_once_in_a_programme_and_has_a_body(minji):
    entry_refused(minji, "entry_key_once", key="order:1", body_hash=b"x")
    entry_refused(minji, "entry_key_has_a_body", key="order:2")
    jun = builders.jun(minji.programme)
    entry_refused(jun, "entry_key_once", key="order:1", body_hash=b"x", seq=1)


def test_a_lot_is_named_once(minji):
    columns = ", ".join(str(field.column) for field in Lot._meta.concrete_fields if field.column != "id")
    refused(f"INSERT INTO ledger_lot ({columns}) SELECT {columns} FROM ledger_lot", "lot_named_once")


def test_an_entry_without_the_allocations_it_speaks_of_is_refused(minji):
    entry_refused(minji, "says 5 and its allocations sum to 0", kind="grant", amount=5)
    entry_refused(minji, "says -5 and its allocations sum to 0", kind="redeem", amount=-5)
    entry_refused(minji, "says 5 and its allocations sum to 0", kind="settle", debt_delta=5)


def test_an_allocation_that_its_entry_does_not_speak_of_is_refused(minji):
    entry, lot = Entry.objects.get(key="order:1"), Lot.objects.first()
    assert lot is not None
    add = "INSERT INTO ledger_allocation (entry_id, lot_id, delta) VALUES (%(entry)s, %(lot)s, %(delta)s)"
    refused(add, "says 100 and its allocations sum to 105", entry=entry.pk, lot=lot.pk, delta=5)
    refused(add, "says 100 and its allocations sum to 95", entry=entry.pk, lot=lot.pk, delta=-5)
    refused(add, "allocation_not_empty", entry=entry.pk, lot=lot.pk, delta=0)


@pytest.mark.django_db(transaction=True)
def test_an_allocation_that_is_slipped_in_under_an_old_id_is_refused_like_any_other():
    """Ids that are chosen by hand can be lower than those that are there; between transactions as within one."""
    receipt = grant(builders.minji(builders.moa()), 100)
    lot = lot_of(receipt)
    add = "INSERT INTO ledger_allocation (id, entry_id, lot_id, delta) SELECT %(id)s, id, %(lot)s, 5 FROM ledger_entry"
    for chosen in (-1, 2**40):
        refused(add, "says 100 and its allocations sum to 105", id=chosen, lot=lot.pk)


def test_no_row_names_another_programme_than_its_accounts(minji):
    other = builders.moa("other")
    entry_refused(minji, "names an account and a programme that do not belong together", programme_id=other.pk)
    refused(
        """INSERT INTO ledger_lot (account_id, programme_id, seq, number, family_seq, policy_id, origin, granted,
                  remaining, open, spendable_at, gated, notice_days, notice_slack, first_spendable_at)
           SELECT account_id, %(other)s, seq, 7, family_seq, policy_id, origin, granted, remaining, open, spendable_at,
                  false, notice_days, notice_slack, spendable_at FROM ledger_lot WHERE open""",
        "lot_of_an_account",
        other=other.pk,
    )


def test_no_row_names_an_account_an_entry_or_a_lot_that_is_not_there(minji):
    entry_refused(minji, "names an account and a programme that do not belong together", account_id=2**60)
    entry_refused(minji, "entry_undoes_an_entry", undoes_seq=77)
    refused(
        """INSERT INTO ledger_lot (account_id, programme_id, seq, number, family_seq, policy_id, origin, granted,
                  remaining, open, spendable_at, gated, notice_days, notice_slack, first_spendable_at)
           SELECT account_id, programme_id, 77, 0, family_seq, policy_id, origin, granted, remaining, open,
                  spendable_at, false, notice_days, notice_slack, spendable_at FROM ledger_lot LIMIT 1""",
        "lot_made_by_an_entry",
    )
    refused(
        """INSERT INTO ledger_notice (entry_id, account_id, expires_at, expires_on, told_on, channel, evidence, lots)
           SELECT e.id, 1152921504606846976, now(), now(), now(), '', '', '{}' FROM ledger_entry e WHERE e.seq = 1""",
        "notice_of_an_account|ledger_notice_entry_id",
    )


def expire_by_hand(account: Account, lot: Lot, *, points: int, remaining: int, at) -> str:
    """One statement that expires a lot as the pen would, with the sums right."""
    return f"""
        WITH e AS (
          INSERT INTO ledger_entry (account_id, programme_id, seq, kind, amount, debt_delta, balance_after, debt_after,
                 actor, reason, reference, effective_at, recorded_at, hash_version, hash)
          VALUES ({account.pk}, {account.programme_id}, 90, 'expire', {-points}, 0, 0, 0, 'system:clock', '', '',
                 '{at.isoformat()}', '2026-01-01', 1, '\\x00')
          RETURNING id),
        l AS (UPDATE ledger_lot SET remaining = {remaining}, open = {remaining > 0} WHERE id = {lot.pk})
        INSERT INTO ledger_allocation (entry_id, lot_id, delta) SELECT id, {lot.pk}, {-points} FROM e"""


@pytest.fixture
def told(db):
    """Minji in Byeol, whose first lot was told of in time and whose second was not."""
    minji = builders.minji(builders.byeol(count=2))
    first, second = lot_of(grant(minji, 100)), lot_of(grant(minji, 50))
    tell(minji, [first.pk], told_on=NOW.date(), now=NOW)
    check_now()
    return minji, Lot.objects.get(pk=first.pk), second


def test_an_announced_whole_expiry_at_its_date_is_let_in(told):
    minji, first, _ = told
    with transaction.atomic():
        sql(expire_by_hand(minji, first, points=100, remaining=0, at=first.expires_at))
        check_now()
        transaction.set_rollback(True)


def test_nothing_expires_unannounced(told):
    minji, _, second = told
    refused(
        expire_by_hand(minji, second, points=50, remaining=0, at=second.expires_at), f"expires lot {second.pk} unannou"
    )


def test_nothing_expires_at_another_date_than_its_own(told):
    minji, first, _ = told
    for at in (first.expires_at - days(1), first.expires_at + days(1)):
        refused(expire_by_hand(minji, first, points=100, remaining=0, at=at), f"expires lot {first.pk} unannounced")


def test_nothing_expires_in_part(told):
    minji, first, _ = told
    refused(
        expire_by_hand(minji, first, points=60, remaining=40, at=first.expires_at), f"expires lot {first.pk} unannou"
    )


def test_a_notice_that_came_too_late_announces_nothing(told):
    minji, _, second = told
    tell(minji, [second.pk], told_on=second.expires_at.date(), now=second.expires_at)
    assert Notice.objects.count() == 2
    check_now()
    refused(
        expire_by_hand(minji, second, points=50, remaining=0, at=second.expires_at), f"expires lot {second.pk} unannou"
    )


def test_a_notice_of_an_earlier_date_announces_nothing(told):
    minji, first, _ = told
    builders.extend(minji, [first.pk], (NOW + days(150)).date())
    first.refresh_from_db()
    assert Extension.objects.count() == 1
    check_now()
    refused(expire_by_hand(minji, first, points=100, remaining=0, at=first.expires_at), f"lot {first.pk} unannounced")


def test_the_indexes_of_open_lots_leave_updates_of_what_is_left_on_the_heap_only_path():
    """Law of the tables: no index may be defined over `remaining`, in a column or in a condition."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'ledger_lot'")
        over = [name for name, definition in cursor if "remaining" in definition]
    assert over == []


def test_all_that_was_made_for_these_tests_adds_up(minji):
    assert Allocation.objects.count() == 3
    assert (Entry.objects.count(), Extension.objects.count(), Notice.objects.count()) == (5, 1, 1)
    check_now()
