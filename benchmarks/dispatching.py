"""What one worker sends, against a bare loop that sends the same messages to the same sink over one connection.

The sink keeps what our side has sent. The bare loop has the words of these messages in its hands, makes an e-mail or a
request of each as the library's documentation shows, and sends it; it looks nothing up and writes nothing down.
"""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

import httpx
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import override_settings

from alerts.channels.solapi import AT_ONCE
from alerts.models.contact import Channel
from alerts.sending import deliveries
from benchmarks import databases
from benchmarks.bare import check_same
from benchmarks.crowd import SEATS, Crowd, Seat
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.results import Measured, compared
from benchmarks.sinks import HOST, MailSession, ProviderSession, Request, Sink
from benchmarks.telling import due_messages, noon_yesterday

CLAIMED = 20  # deliveries of one claim; as many are sent before the first round
HELD = 0.5  # seconds for which eight claims are held open at once
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

Taken = Sequence[bytes | Request]
Again = Callable[[Taken], float]


class Mail(NamedTuple):
    """The words of an e-mail, as a bare loop would have them."""

    key: str
    to: str
    subject: str
    text: str
    html: str


def measure_smtp(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """smtp: each round sends messages that are due, and then the same ones bare. Claims side by side are a note."""
    size = plan.size("smtp")
    with databases.copy_of_blank("bench_smtp") as database, Sink(MailSession) as sink:
        now = noon_yesterday()
        due_messages(CLAIMED + size * plan.rounds + CLAIMED * SEATS * 2, Channel.EMAIL, now=now)
        databases.settle(database)
        databases.use(database)
        with override_settings(EMAIL_BACKEND=SMTP_BACKEND, EMAIL_HOST=HOST, EMAIL_PORT=sink.port):
            pairs, taken = _rounds(plan, "smtp", now, sink, lambda taken: mail_again(sink.port, taken))
        ready_made = len(taken) / mail_again(sink.port, taken, ready_made=True)
        note = f"the bare loop makes each e-mail of ready words; with ready bytes it sends {ready_made:,.0f} /s. "
        note += _claims_side_by_side(database, now)
    return [compared("smtp", size, pairs, "/s", note=note)]


def measure_http(plan: Plan, wanted: Sequence[str]) -> list[Measured]:
    """http: the same with text messages that Solapi's transport hands over."""
    size = plan.size("http")
    with databases.copy_of_blank("bench_http") as database, Sink(ProviderSession) as sink:
        now = noon_yesterday()
        due_messages(CLAIMED + size * plan.rounds, Channel.SMS, now=now)
        databases.settle(database)
        databases.use(database)
        url = f"http://{HOST}:{sink.port}"
        account = {"api_url": url, "api_key": "key", "api_secret": "secret", "sender": "0215880000"}
        with override_settings(TRANSPORTS=settings.TRANSPORTS | {"sms": "solapi"}, SOLAPI=settings.SOLAPI | account):
            pairs, taken = _rounds(plan, "http", now, sink, lambda taken: post_again(url, taken))
        together = len(one_by_one(taken)) / post_again(url, taken)
    note = (
        f"text messages over Solapi's transport, which takes up to {AT_ONCE} in a request; the bare loop posts one to a"
    )
    note += f" request. As many to a request as we sent, it posts {together:,.0f} messages /s"
    return [compared("http", size, pairs, "/s", note=note)]


def _rounds(plan: Plan, name: str, now: datetime, sink: Sink, again: Again) -> tuple[list[tuple[float, float]], Taken]:
    """Both rates of each round, in messages per second, and what came in the last one."""
    size = plan.size(name)
    deliveries.deliver(now=now, limit=CLAIMED)  # texts are compiled, statements prepared, pages read
    again(sink.take())
    pairs, came = [], sink.take()
    for _ in plan.each(plan.rounds, name):
        started = time.monotonic()
        dealt_with = deliveries.deliver(now=now, limit=size)
        seconds = time.monotonic() - started
        came = sink.take()
        taken = one_by_one(came)
        check_same(dealt_with, len(taken))
        bare_seconds = again(taken)
        check_same(len(taken), len(sink.take()))
        pairs.append((len(taken) / seconds, len(taken) / bare_seconds))
        say(f"  {name} {pairs[-1][0]:,.0f}/s, bare {pairs[-1][1]:,.0f}/s")
    return pairs, came


def one_by_one(came: Taken) -> list[bytes | Request]:
    """Each message as a bare loop sends it: an e-mail as it is, a text message in a request of its own."""
    taken: list[bytes | Request] = []
    for one in came:
        if isinstance(one, bytes):
            taken.append(one)
            continue
        asked = json.loads(one.body)
        bodies = (json.dumps(asked | {"messages": [message]}).encode() for message in asked["messages"])
        taken += [one._replace(body=body) for body in bodies]
    return taken


def words(raw: bytes) -> Mail:
    """The words of an e-mail that the sink took."""
    mail = message_from_bytes(raw.replace(b"\r\n", b"\n"), policy=policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return Mail(mail["Message-ID"], mail["To"], mail["Subject"], text.get_content(), html.get_content())


def mail_again(port: int, taken: Taken, *, ready_made: bool = False) -> float:
    """Send these e-mails by a bare smtplib loop: seconds. `ready_made`: as the bytes that they were."""
    mails = [(words(raw), raw) for raw in taken if isinstance(raw, bytes)]
    sender = settings.DEFAULT_FROM_EMAIL
    started = time.monotonic()
    with smtplib.SMTP(HOST, port) as server:
        for mail, raw in mails:
            if ready_made:
                server.sendmail(sender, mail.to, raw)
                continue
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
            message["Message-ID"] = mail.key
            message.set_content(mail.text)
            message.add_alternative(mail.html, subtype="html")
            server.send_message(message)
    return time.monotonic() - started


def post_again(url: str, taken: Taken) -> float:
    """Post these messages by a bare httpx loop: seconds."""
    posts = [(request, json.loads(request.body)) for request in taken if isinstance(request, Request)]
    started = time.monotonic()
    with httpx.Client(base_url=url) as client:
        for request, content in posts:
            answer = client.post(
                request.path, json=content, headers={"Authorization": request.headers.get("authorization", "")}
            )
            answer.raise_for_status()
            answer.json()
    return time.monotonic() - started


def _claims_side_by_side(database: str, now: datetime) -> str:
    """Let eight workers claim, each while the claims of all others are held open: what came of it."""
    with Crowd() as crowd:
        crowd.for_seconds(claim_and_hold, 0.0, database=database, now=now)  # connections are made
        claims: list[tuple[float, list[str]]] = crowd.for_seconds(claim_and_hold, HELD, database=database, now=now)
    slowest = max(seconds for seconds, _ in claims)
    claimed = [key for _, keys in claims for key in keys]
    if len(claimed) != SEATS * CLAIMED or len(set(claimed)) != len(claimed):
        raise AssertionError(f"{SEATS} workers claimed {len(claimed)} deliveries, {len(set(claimed))} different ones")
    said = "none waited for another" if slowest < HELD else "some waited for another"
    return (
        f"{SEATS} workers claimed {CLAIMED} deliveries each while the claims of all others were held open for"
        f" {HELD:.1f} s: the slowest claim took {slowest * 1000:.0f} ms, so {said}"
    )


def claim_and_hold(
    seat: Seat, *, database: str, now: datetime, start: float, seconds: float
) -> tuple[float, list[str]]:
    """A job: claim as a worker does, and keep that claim's transaction open so long; its seconds, and what it got."""
    databases.use(database)
    connection.ensure_connection()
    with transaction.atomic():
        time.sleep(max(0.0, start - time.monotonic()))
        began = time.monotonic()
        claimed = deliveries.claim(now=now, limit=CLAIMED)
        took = time.monotonic() - began
        time.sleep(seconds)
    return took, [str(delivery.pk) for delivery in claimed]
