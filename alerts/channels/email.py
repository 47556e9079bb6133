"""E-mail through Django's backend; over SMTP it is known when the first bytes of a message left.

Sources: RFC 5321 (a server that answers 4xx or 5xx took no responsibility; one that vanished after the data may
have), RFC 3463 (the enhanced code says whether the address is wrong or, for example, we are blocked), and Django's
`django.core.mail.backends.smtp`.
"""

from __future__ import annotations

import logging
import re
import smtplib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from email.utils import parseaddr
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

from alerts.channels.base import Accepted, Capabilities, Channel, Message, answer_of
from alerts.errors import NotSent, Rejected, SendError, Throttled, Unknown

logger = logging.getLogger(__name__)

HandOver = Callable[[], object]  # hands a written e-mail over; raises what smtplib and sockets do

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# connect, greeting, EHLO, STARTTLS, EHLO, AUTH (two answers), MAIL, RCPT, DATA, the final dot
ANSWERS_IN_A_CALL = 11
LONGEST_CALL = timedelta(seconds=29)  # of all of them together: a tick ends within 45 seconds
SHORTEST_WAIT = 0.05  # seconds; 0 would mean not to wait at all
# SMTP never says when to come back; servers that greylist expect a minute or more.
TEMPORARY = timedelta(minutes=1)
# Said to the client and not of a message or its reader: 421, the service closes (RFC 5321, 4.2.2); 454, a temporary
# failure of the account (RFC 4954), which is Amazon SES's answer above its rate of sending.
OF_TRANSPORT = {"421", "454"}
# An address that takes no message for good (RFC 3463, 3.2 and 3.3): no such mailbox or host, moved, disabled. All other
# enhanced codes speak of a full mailbox, a policy, or us: a blocked server must not end every address it writes to.
DEAD_ADDRESS = re.compile(r"5\.(1\.(1|2|3|6|10)|2\.1)(?!\d)")
ENHANCED = re.compile(r"5\.\d{1,3}\.\d{1,3}(?!\d)")
DEAD_WITHOUT_ENHANCED = {"550", "551", "553"}  # RFC 5321, 4.2.3: unavailable, not local, not allowed as a name


class _Staged:
    """Remembers whether any bytes of the present message left, and until when the present call may last."""

    bytes_left = False
    until: float  # of `monotonic`
    sock: Any
    timeout: float

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.until = monotonic() + LONGEST_CALL.total_seconds()
        super().__init__(*arguments, **options)

    def getreply(self) -> tuple[int, bytes]:
        """A server that takes its whole time for every answer would hold up a tick for a minute and a half."""
        if self.sock is not None:
            self.sock.settimeout(max(SHORTEST_WAIT, min(self.timeout, self.until - monotonic())))
        answer: tuple[int, bytes] = super().getreply()  # type: ignore[misc]  # mixed into smtplib's classes below
        return answer

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.bytes_left = True
        answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]  # mixed into smtplib's classes below
        return answer


class _StagedSMTP(_Staged, smtplib.SMTP):
    pass


class _StagedSMTPOverTLS(_Staged, smtplib.SMTP_SSL):
    pass


class StagedBackend(EmailBackend):
    """Django's SMTP backend, whose connection knows how far it came."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _StagedSMTPOverTLS if self.use_ssl else _StagedSMTP

    def prepare(self, mail: EmailMessage) -> HandOver:
        """What `send_messages` does with an e-mail in one step: it is written now, and handed over later."""
        sender, *to = (sanitize_address(address, "utf-8") for address in (mail.from_email, *mail.to))
        made: Any = mail.message()  # Django's, which takes the ends of lines
        raw: bytes = made.as_bytes(linesep="\r\n")

        def hand_over() -> object:
            assert self.connection is not None, "opened just before"
            return self.connection.sendmail(sender, to, raw)

        return hand_over


class EmailChannel(Channel):
    """One connection for all messages of a tick; a message that came to nothing costs the connection."""

    name = "smtp"
    carries = frozenset({"email"})

    @classmethod
    def capabilities(cls, channel: str = "email") -> Capabilities:
        return Capabilities(
            longest_call=min(LONGEST_CALL, timedelta(seconds=ANSWERS_IN_A_CALL * (settings.EMAIL_TIMEOUT or 0))),
            send_again_after_unknown=True,
        )

    def __init__(self, channel: str = "email") -> None:
        super().__init__(channel)
        self._is_smtp = settings.EMAIL_BACKEND == SMTP_BACKEND
        self._backend: Any = get_connection(f"{__name__}.{StagedBackend.__name__}" if self._is_smtp else None)
        self._is_open = False

    def send(self, message: Message) -> Accepted:
        """Hand one e-mail to the server, under a Message-ID made of its key."""
        return self._hand_over(message, self._written(message))

    def prepare(self, messages: Sequence[Message]) -> Callable[[], list[Accepted | SendError]]:
        """An e-mail is written while the database commits: both take as long."""
        (message,) = messages
        hand_over = self._written(message)
        return lambda: [answer_of(partial(self._hand_over, message, hand_over))]

    def _written(self, message: Message) -> HandOver:
        """What hands the e-mail over, and raises then what was wrong with it."""
        mail = written(message)
        if not self._is_smtp:
            return partial(self._backend.send_messages, [mail])
        try:
            hand_over: HandOver = self._backend.prepare(mail)
            return hand_over
        except ValueError as error:
            return partial(_raise, error)

    def _hand_over(self, message: Message, hand_over: HandOver) -> Accepted:
        until = monotonic() + LONGEST_CALL.total_seconds()
        self._open()
        self._may_last(until)
        try:
            hand_over()
        except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: an address no header can hold
            failure = _classified(error, self._bytes_left(), message.to)
            self._drop()
            raise failure from error
        self._forget_bytes()
        return Accepted(answer="250")

    def close(self) -> None:
        self._is_open = False
        with suppress(OSError):  # smtplib's errors are among them
            self._backend.close()

    def _drop(self) -> None:
        """Let go of the connection without a good-bye, which a server that hangs would make us wait for."""
        if self._connection is not None:
            self._connection.close()
            self._backend.connection = None
        self._is_open = False

    def _open(self) -> None:
        if self._is_open:
            return
        try:
            self._backend.open()
        except OSError as error:
            self.close()
            answer, words = _answer(error)
            raise NotSent(words, answer=answer, transport_down=True) from error
        self._is_open = True

    @property
    def _connection(self) -> Any:
        """smtplib's, as staged above; None: not open, or a backend without one."""
        return getattr(self._backend, "connection", None)

    def _may_last(self, until: float) -> None:
        if self._connection is not None:
            self._connection.until = until

    def _bytes_left(self) -> bool:
        return bool(getattr(self._connection, "bytes_left", True))

    def _forget_bytes(self) -> None:
        if self._connection is not None:
            self._connection.bytes_left = False


def _raise(error: ValueError) -> None:
    raise error


class _Mail(EmailMultiAlternatives):
    """An e-mail whose parts are divided by a line made of its key, which stands in no text.

    Without one the library draws a line by chance and searches the text for it, at a tenth of the cost of an e-mail.
    """

    key: UUID

    def message(self, **more: Any) -> Any:
        made: Any = super().message(**more)
        made.set_boundary(f"={self.key.hex}=")
        return made


def written(message: Message) -> EmailMultiAlternatives:
    """The message as an e-mail, with one-click unsubscribing (RFC 8058) where the message says where."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    mail = _Mail(
        subject=message.text.subject,
        body=message.text.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.to],
        headers={
            "Message-ID": f"<{message.key}@{domain}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office answers, please
            "Content-Language": message.language,
        },
    )
    mail.key = message.key
    if message.unsubscribe:
        mail.extra_headers["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.attach_alternative(message.text.html, "text/html")
    return mail


def _classified(error: Exception, bytes_left: bool, address: str) -> Rejected | Throttled | NotSent | Unknown:
    """The one of the four errors that says what is certain about this failure."""
    answer, words = _answer(error, address)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        if answer.startswith("5"):
            return Rejected(words, answer=answer, bad_address=_is_dead(answer, error))
        return Throttled(words, answer=answer, retry_after=TEMPORARY, of_transport=answer in OF_TRANSPORT)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        if answer.startswith("4"):
            return Throttled(words, answer=answer, retry_after=TEMPORARY, of_transport=answer in OF_TRANSPORT)
        if isinstance(error, smtplib.SMTPDataError):
            return Rejected(words, answer=answer)
        # The sender is our own setting: somebody will mend it, and the members should not have missed anything.
        return NotSent(words, answer=answer, transport_down=True)
    if not isinstance(error, OSError):
        return Rejected(words, answer=answer, bad_address=True)
    if isinstance(error, smtplib.SMTPNotSupportedError):  # the server takes no address in these letters
        return Rejected(words, answer=answer, bad_address=True)
    return Unknown(words, answer=answer) if bytes_left else NotSent(words, answer=answer)


def _is_dead(answer: str, refused: smtplib.SMTPRecipientsRefused) -> bool:
    """Whether the server refuses this address for good, and not us or only this message."""
    words = next((_text(words) for _, words in refused.recipients.values()), "")
    if ENHANCED.match(words):
        return DEAD_ADDRESS.match(words) is not None
    return answer in DEAD_WITHOUT_ENHANCED


def _answer(error: Exception, address: str = "") -> tuple[str, str]:
    """The server's code and words; the address is taken out of them, because they are kept for ever."""
    code, words = "", str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(((str(c), _text(w)) for c, w in error.recipients.values()), ("", ""))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, words = str(error.smtp_code), _text(error.smtp_error)
    if address:
        words = re.sub(re.escape(address), "…", words, flags=re.IGNORECASE)
    words = re.sub(r"[^\s<>]+@[^\s<>]+", "…", words)
    return code or type(error).__name__, f"{type(error).__name__}: {words}"[:500]


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)
