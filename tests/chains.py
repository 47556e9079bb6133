"""The hash chain of an account, recomputed from the rows of the database alone."""

from __future__ import annotations

from ledger import chain
from ledger.models import Account, Entry, Lot


def recomputed(account: Account) -> list[tuple[int, bytes]]:
    """(seq, hash) of each entry, each computed over the hash computed before it."""
    hashes = []
    previous = chain.GENESIS
    lots = {lot.pk: lot for lot in Lot.objects.filter(account=account).prefetch_related("extensions")}
    entries = Entry.objects.filter(account=account).order_by("seq")
    for entry in entries.prefetch_related("allocations", "extensions"):
        previous = chain.entry_hash(previous, entry, _parts(entry, lots))
        hashes.append((entry.seq, previous))
    return hashes


def _parts(entry: Entry, lots: dict[int, Lot]) -> list[tuple]:
    made = sorted((lot for lot in lots.values() if lot.seq == entry.seq), key=lambda lot: lot.number)
    parts: list[tuple] = [
        (
            "lot",
            lot.number,
            lot.family_seq,
            lot.policy_id,
            lot.origin,
            lot.granted,
            lot.spendable_at,
            _first_date(lot),
            lot.notice_days,
            lot.notice_slack,
        )
        for lot in made
    ]
    for allocation in sorted(entry.allocations.all(), key=lambda row: row.pk):
        lot = lots[allocation.lot_id]
        parts.append(chain.allocation_part(lot.seq, lot.number, allocation.delta))
    for move in sorted(entry.extensions.all(), key=lambda row: row.pk):
        lot = lots[move.lot_id]
        parts.append(chain.extension_part(lot.seq, lot.number, move.was, move.until))
    notice = getattr(entry, "notice", None)
    if notice:
        named = [(lots[pk].seq, lots[pk].number) for pk in notice.lots]
        told = (notice.expires_at, notice.expires_on, notice.told_on, notice.channel, notice.evidence)
        parts.append(chain.notice_part(*told, named))
    return parts


def _first_date(lot: Lot):
    moves = sorted(lot.extensions.all(), key=lambda row: row.pk)
    return moves[0].was if moves else lot.expires_at
