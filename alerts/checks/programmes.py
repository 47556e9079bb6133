"""What stands in the database and cannot work: shown by `check --database default` and before every `migrate`.

These are warnings, because an error would stop the very migration that comes with its remedy.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.utils import timezone

from alerts.channels import capabilities_of
from alerts.channels.email import EmailChannel
from alerts.channels.sandbox import SandboxChannel
from alerts.checks.database import of_the_database
from alerts.duty import unreached
from alerts.errors import UnknownChannel, UnknownTransport
from alerts.models import ReminderRule, TellingRules, TemplateVersion
from alerts.models.consent import Purpose
from alerts.models.contact import Channel
from alerts.rules.linting import lint
from alerts.watch.counting import MOST
from ledger.models import Policy, Programme


@of_the_database
def check_programmes() -> Iterator[CheckMessage]:
    """Whether every programme can tell its members what its policies and its rules say."""
    codes = dict(Programme.objects.values_list("pk", "code"))
    used: dict[int, set[str]] = {}
    first: dict[int, int] = {}
    for programme, offset, channels in ReminderRule.objects.values_list("programme_id", "offset_days", "channels"):
        used.setdefault(programme, set()).update(channels)
        first[programme] = max(first.get(programme, 0), offset)
    yield from _duties(codes, first)
    yield from _too_few_channels()
    yield from _unreached()
    for programme, names in sorted(used.items()):
        for channel in sorted(names):
            yield from _channel(codes[programme], channel)
    approved = TemplateVersion.objects.filter(template__channel=Channel.ALIMTALK, template__purpose=Purpose.NOTICE)
    with_words = set(approved.exclude(provider_code="").values_list("template__programme_id", flat=True).distinct())
    for programme in sorted(programme for programme, names in used.items() if Channel.ALIMTALK in names):
        if programme not in with_words:
            yield from _never_an_alimtalk(codes[programme])
    told = TellingRules.objects.filter(counts_when=TellingRules.Counts.DELIVERED).values_list("programme_id", flat=True)
    for programme in sorted(told):
        for channel in sorted(used.get(programme, ())):
            yield from _never_delivered(codes[programme], channel)
    under_a_duty = set(Policy.objects.filter(notice_days__gt=0).values_list("programme_id", flat=True))
    for programme in sorted(under_a_duty - set(told)):
        if Channel.EMAIL in used.get(programme, ()) and settings.TRANSPORTS.get(Channel.EMAIL) == EmailChannel.name:
            yield from _bounces_unseen(codes[programme])


def _duties(codes: dict[int, str], first: dict[int, int]) -> Iterator[CheckMessage]:
    under_a_duty = Policy.objects.filter(notice_days__gt=0).values_list("programme_id", flat=True).distinct()
    for programme in sorted(under_a_duty):
        needed = ReminderRule.days_needed(programme)
        if programme not in first:
            yield Warning(
                f"Programme {codes[programme]!r} has a notice duty and no reminder rules: nobody is told, and no point "
                "under the duty ever expires.",
                hint="Enter its reminders in the admin.",
                id="alerts.W022",
            )
        elif first[programme] < needed:
            yield Warning(
                f"The first reminder of programme {codes[programme]!r} goes out {first[programme]} days before, and "
                f"its notice duty with its slack needs {needed}: no notice would ever be in time.",
                hint="Enter an earlier reminder in the admin.",
                id="alerts.W023",
            )


def _too_few_channels() -> Iterator[CheckMessage]:
    """What the linter says of it, unless it is an exception."""
    duties = Policy.objects.filter(notice_days__gt=0, notice_channels__gt=1)
    for programme in Programme.objects.filter(pk__in=duties.values("programme")).order_by("pk"):
        for finding in lint(programme, now=timezone.now()):
            if finding.rule == "house.channels" and finding.overridden_by is None:
                yield Warning(
                    f"In programme {programme.code!r} a notice counts on as many channels as its policy says "
                    f"({finding.found}), and its reminders in time use fewer at once ({finding.has}): no notice is "
                    "ever enough.",
                    hint="Let its reminder rules use more channels at once in the admin.",
                    id="alerts.W028",
                )


def _unreached() -> Iterator[CheckMessage]:
    for code, number in unreached.members(now=timezone.now()).items():
        yield Warning(
            f"So many members of programme {code!r} have points under a notice duty and an address, but not on as many "
            f"channels of its reminders in time as the duty asks: {number}. They are never told, nothing is waived, "
            f"and their points stay. The {MOST} lots that go first were looked at.",
            hint="Add the channels on which they can be reached to its reminder rules in the admin, or ask them for "
            "another address.",
            id="alerts.W027",
        )


def _channel(code: str, channel: str) -> Iterator[CheckMessage]:
    transport = settings.TRANSPORTS.get(channel)
    if transport is None:
        yield Warning(
            f"Programme {code!r} reminds on the channel {channel!r}, which no transport carries.",
            hint=f"Set {channel.upper()}_TRANSPORT, or take the channel out of its reminder rules.",
            id="alerts.W024",
        )
    # The allow-list excuses nothing: it lets through to a provider, and the sandbox is none.
    if transport == SandboxChannel.name and not (settings.SANDBOX_TELLS or settings.DEBUG):
        yield Warning(
            f"Programme {code!r} reminds on the channel {channel!r}, which the sandbox carries: nobody is told on it.",
            hint=f"Set {channel.upper()}_TRANSPORT to a provider, or take the channel out of its reminder rules.",
            id="alerts.W020",
        )


def _never_an_alimtalk(code: str) -> Iterator[CheckMessage]:
    yield Warning(
        f"Programme {code!r} reminds by AlimTalk and has no words for it with the code of an approved template: none "
        "is ever sent, and the next channel is used.",
        hint="Enter a template for AlimTalk with its code in the admin, or take the channel out of its reminder rules.",
        id="alerts.W025",
    )


def _never_delivered(code: str, channel: str) -> Iterator[CheckMessage]:
    try:
        reports = capabilities_of(channel).reports
    except (UnknownChannel, UnknownTransport):
        return  # said already
    if not reports:
        yield Warning(
            f"In programme {code!r} only what was delivered counts as told, and the transport of its channel "
            f"{channel!r} never reports that: no notice on it ever counts.",
            hint="Let acceptance count, or choose a transport that reports.",
            id="alerts.W021",
        )


def _bounces_unseen(code: str) -> Iterator[CheckMessage]:
    yield Warning(
        f"Programme {code!r} has a notice duty, and an e-mail over SMTP counts as told once the server takes it: one "
        "that bounces after that is not seen, and its points expire.",
        hint="Set EMAIL_TRANSPORT to anymail, whose bounces come by webhook, or read the mails that come back to "
        "DEFAULT_FROM_EMAIL.",
        id="alerts.W029",
    )
