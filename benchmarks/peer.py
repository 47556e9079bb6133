"""A published double-entry package at work, in its own environment: python -m benchmarks.peer NAME HOST USER DATABASE

Migrates its database, opens accounts, says `ready`; then for each line `SECONDS` of its input, eight processes transfer
money between accounts by chance for so long, and it prints the transfers per second. Run by `peers.py`. Both get the
best that they can have: accounts are read beforehand, and those that give are never those that take, so nobody waits
for another for long and none meets a deadlock.
"""

from __future__ import annotations

import gc
import logging
import random
import sys
from decimal import Decimal
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks.crowd import Crowd, Done, Seat, rate

READY = "ready"
CONTRIB = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.sites"]
_accounts: list[Any] = []  # read once, before the processes are forked


def main(name: str, host: str, user: str, database: str, accounts: str) -> int:
    _configure(name, {"HOST": host, "USER": user, "NAME": database})
    call_command("migrate", verbosity=0)
    _accounts.extend({"hordak": _open_hordak, "oscar": _open_oscar}[name](int(accounts)))
    connection.close()
    with Crowd() as crowd:
        transfer = {"hordak": transfer_by_hordak, "oscar": transfer_by_oscar}[name]
        print(READY, flush=True)
        for line in sys.stdin:
            print(rate(crowd.for_seconds(transfer, float(line))), flush=True)
    return 0


def _configure(name: str, database: dict[str, str]) -> None:
    logging.disable(logging.CRITICAL)
    more = _of_oscar() if name == "oscar" else {"INSTALLED_APPS": [*CONTRIB, "mptt", "djmoney", "hordak"]}
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="of a database that lives for minutes",  # noqa: S106 -- it signs nothing
        SITE_ID=1,
        USE_TZ=True,
        **more,
    )
    django.setup()
    gc.freeze()  # as our own processes do


def _of_oscar() -> dict[str, Any]:
    """The shop's own defaults, and its apps, without which there are no accounts."""
    import oscar
    from oscar import defaults

    shop = [app for app in oscar.INSTALLED_APPS if app not in CONTRIB]
    return {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()} | {
        "HAYSTACK_CONNECTIONS": {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        "INSTALLED_APPS": [*CONTRIB, *shop, "oscar_accounts.apps.AccountsConfig"],
    }


def _open_hordak(many: int) -> list[Any]:
    from hordak.models import Account

    for number in range(many):
        Account.objects.create(name=f"account {number}", type="AS", code=None, currencies=["EUR"])
    return list(Account.objects.order_by("pk"))


def _open_oscar(many: int) -> list[Any]:
    from oscar_accounts.models import Account

    Account.objects.bulk_create(Account(name=f"account {number}", credit_limit=None) for number in range(many))
    return list(Account.objects.order_by("pk"))


def _pair(chance: random.Random) -> tuple[Any, Any]:
    half = len(_accounts) // 2
    return _accounts[chance.randrange(half)], _accounts[half + chance.randrange(half)]


def transfer_by_hordak(seat: Seat, *, start: float, seconds: float) -> Done:
    from moneyed import Money

    chance, amount, number = random.Random(), Money(7, "EUR"), 0
    for number in seat.until(start, seconds):
        giver, taker = _pair(chance)
        giver.transfer_to(taker, amount, description=f"transfer {number}")
    return Done.since(start, number + 1)


def transfer_by_oscar(seat: Seat, *, start: float, seconds: float) -> Done:
    from oscar_accounts import facade

    chance, amount, number = random.Random(), Decimal(7), 0
    for number in seat.until(start, seconds):
        giver, taker = _pair(chance)
        facade.transfer(giver, taker, amount, merchant_reference=f"transfer {number}")
    return Done.since(start, number + 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
