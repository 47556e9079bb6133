"""The demo's inbox: what the demo's mail server has put into its folder, and what the sandbox kept.

It shows addresses, texts and codes: to anybody in a demo, and elsewhere to staff who may look at contacts.
"""

from __future__ import annotations

import mailbox
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User

from alerts.models import SandboxMessage

MOST_MESSAGES = 200
KEPT = "sandbox-"  # what the key of a sandbox's message begins with


@dataclass(frozen=True, slots=True)
class Message:
    key: str
    subject: str
    sender: str
    to: str
    date: datetime | None
    text: str


def is_open() -> bool:
    """Whether anybody may look, as in a demo."""
    return bool(settings.DEMO or settings.DEBUG)


def may_look(user: User | AnonymousUser) -> bool:
    """Whether this user may look, or this visitor."""
    return is_open() or (user.is_staff and user.has_perm("alerts.view_contact"))


def messages(folder: str) -> list[Message]:
    """The newest messages, newest first, the sandbox's before the mails. A folder that is not there holds none."""
    box = _open(folder)
    keys = sorted(box.keys(), key=_arrival, reverse=True)[:MOST_MESSAGES] if box is not None else []
    kept = [_kept(row) for row in SandboxMessage.objects.order_by("-pk")[:MOST_MESSAGES]]
    return [*kept, *(found for found in (_read(box, key) for key in keys) if found)]


def _arrival(key: str) -> list[int]:
    """The numbers that a key begins with: seconds, microseconds, process, count. They are not of fixed width."""
    return [int(number) for number in re.findall(r"[0-9]+", key)[:4]]


def message(folder: str, key: str) -> Message | None:
    """The message with this key, if there is one."""
    number = key.removeprefix(KEPT)
    if number != key:
        row = SandboxMessage.objects.filter(pk=number).first() if re.fullmatch(r"[0-9]{1,18}", number) else None
        return _kept(row) if row else None
    return _read(_open(folder), key)


def _kept(row: SandboxMessage) -> Message:
    return Message(
        key=f"{KEPT}{row.pk}",
        subject=row.subject or row.text.strip().partition("\n")[0],
        sender=f"sandbox: {row.channel}",
        to=row.to,
        date=row.at,
        text=row.text,
    )


def _open(folder: str) -> mailbox.Maildir | None:
    if not folder:
        return None  # `mailbox` would take it for the folder in which the process runs
    try:
        return mailbox.Maildir(folder, create=False)
    except mailbox.NoSuchMailboxError:
        return None


def _read(box: mailbox.Maildir | None, key: str) -> Message | None:
    if box is None:
        return None
    try:
        parsed = message_from_bytes(box.get_bytes(key), policy=policy.default)
    except (KeyError, FileNotFoundError):
        return None
    return Message(
        key=key,
        subject=str(parsed["subject"] or ""),
        sender=str(parsed["from"] or ""),
        to=str(parsed["to"] or ""),
        date=_date(parsed),
        text=_text(parsed),
    )


def _date(parsed: EmailMessage) -> datetime | None:
    with suppress(AttributeError, TypeError, ValueError):
        found: datetime | None = parsed["date"].datetime
        return found
    return None


def _text(parsed: EmailMessage) -> str:
    """The plain text. A broken message is shown as empty rather than not at all."""
    with suppress(LookupError, ValueError, AttributeError):
        body = parsed.get_body(("plain",))
        return str(body.get_content()) if body else ""
    return ""
