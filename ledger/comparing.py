"""Whether a new policy makes new points worse than the one it follows. Pure; law 12 keeps old points out of it."""

from __future__ import annotations

from datetime import datetime

from ledger.allocation import FOREVER
from ledger.policies import Beyond, Model, Terms, days_after, expiry_date, spendable_from

DAYS_TRIED = 366  # every day of a year, so that no rounding and no fixed day hides a shorter life


def worsened(new: Terms, old: Terms, since: datetime) -> list[str]:
    """What is worse for members under `new` for points granted in the year from `since` on; the fields of a policy."""
    tried = [days_after(since, day, new.zone) for day in range(DAYS_TRIED)]
    loses_activity = old.model == Model.INACTIVITY and new.model not in (Model.INACTIVITY, Model.NEVER)
    checks = {
        "model": loses_activity or any(_goes(new, at) < _goes(old, at) for at in tried),
        "spendable_after_days": any(spendable_from(new, at) > spendable_from(old, at) for at in tried),
        "notice_days": new.notice_days < old.notice_days,
        "notice_channels": new.notice_channels < old.notice_channels,
        "accepts_waivers": new.accepts_waivers and not old.accepts_waivers,
        "restored_floor_days": new.restored_floor_days < old.restored_floor_days,
        "reinstate_window_days": new.reinstate_window_days < old.reinstate_window_days,
        "reinstate_life_days": new.reinstate_life_days < old.reinstate_life_days,
        "clawback_beyond": new.clawback_beyond == Beyond.DEBT and old.clawback_beyond == Beyond.WRITE_OFF,
    }
    return [field for field, worse in checks.items() if worse]


def _goes(terms: Terms, granted_at: datetime) -> datetime:
    return expiry_date(terms, spendable_from(terms, granted_at)) or FOREVER
