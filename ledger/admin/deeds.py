"""The acts that staff can do by hand on a list's rows, besides extending lots: undo, reinstate, adjust."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger.actors import Actor
from ledger.adjustments import adjust_down_order, adjust_up_order
from ledger.admin.acting import Deed, PointsForm
from ledger.extensions import undo_order
from ledger.kinds import Kind
from ledger.models import Account, Entry, Lot
from ledger.posting import Order
from ledger.reinstatements import reinstate_order


def _undo(entry: Entry, entered: dict[str, Any], now: datetime, key: str, by: Actor) -> Order:
    return undo_order(
        account_id=entry.account_id, extension=str(entry.key), now=now, key=key, by=by, reason=entered["reason"]
    )


def _reinstate(lot: Lot, entered: dict[str, Any], now: datetime, key: str, by: Actor) -> Order:
    return reinstate_order(account_id=lot.account_id, lot=lot.pk, now=now, key=key, by=by, reason=entered["reason"])


def _adjust_up(account: Account, entered: dict[str, Any], now: datetime, key: str, by: Actor) -> Order:
    return adjust_up_order(
        account_id=account.pk, points=entered["points"], now=now, key=key, by=by, reason=entered["reason"]
    )


def _adjust_down(account: Account, entered: dict[str, Any], now: datetime, key: str, by: Actor) -> Order:
    return adjust_down_order(
        account_id=account.pk, points=entered["points"], now=now, key=key, by=by, reason=entered["reason"]
    )


UNDO_EXTENSION = Deed(
    name="undo_extension",
    permission="ledger.extend_lot",
    title=_("Undo an extension: move the last day back"),
    explains=_(
        "The last days become what they were before. That works only while the earlier day lies ahead and nobody was "
        "told of the later one."
    ),
    order=_undo,
    fits=lambda entry: entry.kind == Kind.EXTEND and entry.key and entry.undoes_seq is None,
    misfit=_("Only an extension can be undone here."),
)
REINSTATE = Deed(
    name="reinstate",
    permission="ledger.reinstate_lot",
    title=_("Reinstate: give expired points back"),
    explains=_("What expired of these lots comes back, for the time that the policy says; once for each grant."),
    order=_reinstate,
    most=100,
    fits=lambda lot: not lot.open or not lot.gated,
    misfit=_("Some of these lots have not expired."),
)
ADJUST_UP = Deed(
    name="adjust_up",
    permission="ledger.adjust_account",
    title=_("Adjust: add points that were missing"),
    explains=_("The points come as a correction, with the last day that the policy in force says."),
    order=_adjust_up,
    form=PointsForm,
)
ADJUST_DOWN = Deed(
    name="adjust_down",
    permission="ledger.adjust_account",
    title=_("Adjust: take points that were too many"),
    explains=_("What is not there any more becomes a debt, or is written off, as the policy in force says."),
    order=_adjust_down,
    form=PointsForm,
)
