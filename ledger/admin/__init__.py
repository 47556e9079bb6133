"""The ledger in Django's admin: facts are looked at, never edited; what staff can do are acts."""

from ledger.admin.account import AccountAdmin
from ledger.admin.closure import ClosureAdmin
from ledger.admin.entry import EntryAdmin
from ledger.admin.hold import HoldAdmin
from ledger.admin.lot import LotAdmin
from ledger.admin.member import MemberAdmin
from ledger.admin.programme import PolicyAdmin, ProgrammeAdmin
from ledger.admin.seal import SealAdmin
from ledger.admin.verdict import VerdictAdmin

__all__ = [
    "AccountAdmin",
    "ClosureAdmin",
    "EntryAdmin",
    "HoldAdmin",
    "LotAdmin",
    "MemberAdmin",
    "PolicyAdmin",
    "ProgrammeAdmin",
    "SealAdmin",
    "VerdictAdmin",
]
