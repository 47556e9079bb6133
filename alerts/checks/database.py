"""Checks of what stands in the database: asked only when it is, and never in the way of the migrations that make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage
from django.db import ProgrammingError, transaction

Check = Callable[..., list[CheckMessage]]


def of_the_database(found: Callable[[], Iterator[CheckMessage]]) -> Check:
    """A system check that says what `found` finds."""

    def check(
        app_configs: Sequence[AppConfig] | None, *, databases: Iterable[str] | None = None, **kwargs: object
    ) -> list[CheckMessage]:
        if not databases:
            return []
        try:
            with transaction.atomic():
                return list(found())
        except ProgrammingError:
            return []  # `migrate` asks before it has made the tables

    # Not `functools.wraps`: Django looks through it, and asks a check for arguments that `found` does not take.
    check.__name__, check.__doc__ = found.__name__, found.__doc__
    return check
