"""Numbers that were entered under another transport: shown by `check --database default` and before every `migrate`."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from alerts.addresses import contacts
from alerts.channels import countries_of
from alerts.checks.database import of_the_database


@of_the_database
def check_contacts() -> Iterator[CheckMessage]:
    """Whether the transports carry to every number that is in use; a new one is refused where it is entered."""
    for channel, transport in sorted(settings.TRANSPORTS.items()):
        countries = countries_of(channel)
        if countries is None:
            continue
        number = contacts.not_carried(channel).count()
        if number:
            yield Warning(
                f"The transport {transport!r} of the channel {channel!r} carries to {', '.join(sorted(countries))} "
                f"alone, and so many contacts in use there have other numbers: {number}. Messages to them fail.",
                hint="Choose another transport for the channel, or take these contacts out of use in the admin: their "
                "list has a filter for them. Meanwhile their members are told on the next channel of the rule.",
                id="alerts.W026",
            )
