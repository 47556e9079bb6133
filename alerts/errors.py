"""What the alerting line refuses, and how sending can fail; each docstring is the message and each code is stable.

AlertsError
├── BadInput        the caller's words are off; nothing was written
├── UnknownChannel  no such way of telling people
├── UnknownTransport  no such provider, or none that reports
├── BadSignature    a report that its provider did not sign
├── CannotBeWritten  words that the channel cannot carry
└── SendError       one call to a provider came to nothing; every channel raises one of these four and no other
    ├── Rejected    for good: trying again is useless
    ├── Throttled   not now; maybe the provider says when
    ├── NotSent     provably not sent
    └── Unknown     anything else after bytes of the message left
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class AlertsError(Exception):
    """The alerting line refused it."""

    code: ClassVar[str] = "alerts_error"

    def __init__(self, detail: str = "", *, field: str = "") -> None:
        """`detail` replaces the class's own message; `field` names the argument at fault, where one is."""
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.field = field
        super().__init__(f"{field}: {self.detail}" if field else self.detail)


class BadInput(AlertsError):
    """The request cannot be understood."""

    code = "bad_input"


class UnknownChannel(AlertsError):
    """There is no such channel."""

    code = "unknown_channel"


class UnknownTransport(AlertsError):
    """There is no such transport."""

    code = "unknown_transport"


class BadSignature(AlertsError):
    """The signature is wrong or missing."""

    code = "bad_signature"


class CannotBeWritten(AlertsError):
    """The channel cannot carry these words."""

    code = "cannot_be_written"


class SendError(AlertsError):
    """The message was not accepted."""

    code = "send_error"

    def __init__(self, detail: str = "", *, answer: str = "") -> None:
        """`answer` is the provider's own code, for example "550"; `detail` its words, without personal data."""
        super().__init__(detail)
        self.answer = answer


class Rejected(SendError):
    """The message is refused for good."""

    code = "rejected"

    def __init__(self, detail: str = "", *, answer: str = "", bad_address: bool = False, asked: bool = True) -> None:
        """`bad_address`: it is the address that is refused, so that no message to it has a chance. `asked`: the
        provider was; else its channel cannot carry such a message, and nobody was called."""
        super().__init__(detail, answer=answer)
        self.bad_address = bad_address
        self.asked = asked


class Throttled(SendError):
    """The provider takes no more messages for now."""

    code = "throttled"

    def __init__(
        self,
        detail: str = "",
        *,
        answer: str = "",
        retry_after: timedelta = timedelta(),
        of_transport: bool = False,
    ) -> None:
        """`of_transport`: it takes none of anybody until then; otherwise it is about this message or its reader."""
        super().__init__(detail, answer=answer)
        self.retry_after = retry_after
        self.of_transport = of_transport


class NotSent(SendError):
    """The message provably did not leave."""

    code = "not_sent"

    def __init__(
        self, detail: str = "", *, answer: str = "", transport_down: bool = False, answered: bool = False
    ) -> None:
        """`transport_down`: nobody could be reached at all, so that no other message has a chance either. `answered`:
        the provider is there and took nothing of this call."""
        super().__init__(detail, answer=answer)
        self.transport_down = transport_down
        self.answered = answered


class Unknown(SendError):
    """Bytes of the message left, and nobody can say whether it was accepted."""

    code = "unknown"
