"""The tables of the ledger. Rows of facts are written by `ledger.posting` alone."""

from ledger.models.account import Account
from ledger.models.closure import Closure
from ledger.models.entry import Allocation, Entry
from ledger.models.extension import Extension
from ledger.models.hold import Hold
from ledger.models.lot import Lot
from ledger.models.member import Member
from ledger.models.notice import Notice
from ledger.models.point_value import BEGINNING, PointValue
from ledger.models.programme import Policy, Programme
from ledger.models.seal import Seal, SealLeaf
from ledger.models.verdict import AccountVerdict, Mode, Verdict

__all__ = [
    "BEGINNING",
    "Account",
    "AccountVerdict",
    "Allocation",
    "Closure",
    "Entry",
    "Extension",
    "Hold",
    "Lot",
    "Member",
    "Mode",
    "Notice",
    "PointValue",
    "Policy",
    "Programme",
    "Seal",
    "SealLeaf",
    "Verdict",
]
