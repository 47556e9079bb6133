"""What somebody with all rights could do to the tables, for the tests of the auditor."""

from __future__ import annotations

from django.db import connection

from ledger.audit import audit
from ledger.models import Account
from tests.chains import recomputed

TABLES = ("entry", "allocation", "extension", "notice", "lot", "account", "hold", "closure", "policy", "seal")


def tamper(sql: str) -> None:
    """Change facts as only the tables' owner could: with the triggers switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
        cursor.execute(sql)


def rechain(account: Account) -> None:
    """Compute the account's whole hash chain anew, as a clever insider would."""
    with connection.cursor() as cursor:
        for seq, digest in recomputed(account):
            cursor.execute(
                "UPDATE ledger_entry SET hash = %s WHERE account_id = %s AND seq = %s", [digest, account.pk, seq]
            )
        cursor.execute(
            "UPDATE ledger_account a SET head_hash = e.hash FROM ledger_entry e"
            " WHERE a.id = %s AND e.account_id = a.id AND e.seq = a.seq",
            [account.pk],
        )


def found() -> set[tuple[int, int | None]]:
    """(law, entry) of all that the auditor finds."""
    return {(finding.law, finding.seq) for finding in audit()}
