"""Whether good notices stand for a lot's date: what opens the gate. Pure; for the book and for looks at the past."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.allocation import LotState
from ledger.policies import Terms, is_good_day
from ledger.undoing import NoticeFacts


def is_announced(lot: LotState, terms: Terms, notices: Iterable[NoticeFacts]) -> bool:
    """Whether these notices cover the lot's present date: on enough channels, or by a waiver that counts.

    `terms` are those of the lot's own policy. Notices of other dates or lots, and withdrawn ones, count for nothing.
    """
    good = [
        notice
        for notice in notices
        if notice.expires_at == lot.expires_at
        and (lot.seq, lot.number) in notice.lots
        and not notice.withdrawn
        and is_good_day(notice.told_on, notice.expires_on, lot.notice_days, terms.notice_max_days)
    ]
    channels = {notice.channel for notice in good if not notice.waiver}
    return len(channels) >= terms.notice_channels or (terms.accepts_waivers and any(n.waiver for n in good))
