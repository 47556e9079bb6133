"""The webhooks of a fake provider: reports of what it took, in the providers' shapes, signed as they sign.

They may come late, doubled, reordered and unsigned.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import threading
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, Queue
from urllib.parse import urlencode, urlsplit

from alerts.fakes.journal import Taken
from alerts.fakes.providers import arrives

WAYS = ("late", "doubled", "reordered", "unsigned")
BATCH = 10  # of reports that are shuffled together
LATE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the providers sign with."""

    solapi_header: str = "X-Solapi-Secret"
    solapi: str = ""
    nhn: str = ""
    twilio: str = ""
    anymail: str = ""  # user:password


@dataclass(frozen=True, slots=True)
class Posted:
    """A webhook's request, ready to be posted."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Where reports go: `site` is the root of our pages, http://localhost:8000."""

    site: str
    secrets: Secrets = field(default_factory=Secrets)

    def report(self, taken: Taken, *, arrived: bool | None = None, unsigned: bool = False) -> Posted:
        """The report about one message: that it arrived, or that it came back. None: by its number (`arrives`)."""
        arrived = arrives(taken) if arrived is None else arrived
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        make = {"solapi": self._solapi, "nhn": self._nhn, "twilio": self._twilio, "anymail": self._postmark}
        posted = make[taken.provider](taken, arrived, at)
        kept = {"Content-Type": posted.headers["Content-Type"]} if unsigned else posted.headers
        return Posted(posted.path, posted.query, kept, posted.body)

    def _json(self, name: str, content: object, signed: dict[str, str]) -> Posted:
        return Posted(
            f"/hooks/{name}/", "", {"Content-Type": "application/json"} | signed, json.dumps(content).encode()
        )

    def _solapi(self, taken: Taken, arrived: bool, at: str) -> Posted:
        message = {"messageId": taken.number, "statusCode": "4000" if arrived else "3058", "dateReported": at}
        fields = {"key": taken.key} | ({"fallsBack": taken.echo} if taken.echo else {})
        # Solapi sends back the whole message, its words among it.
        content = [message | {"to": taken.to, "text": taken.text, "type": taken.form, "customFields": fields}]
        return self._json("solapi", content, {self.secrets.solapi_header: self.secrets.solapi})

    def _nhn(self, taken: Taken, arrived: bool, at: str) -> Posted:
        code = ("MRC01" if taken.channel == "alimtalk" else "1000") if arrived else "3015"
        hook = {"hookId": f"hook-{taken.number}-{code}", "requestId": taken.number, "resultCode": code}
        hook |= {"senderGroupingKey": taken.key, "recipientGroupingKey": taken.echo or taken.key, "receiveDate": at}
        content = {"hooksId": f"hooks-{taken.number}", "event": "MESSAGE_RESULT_UPDATE", "hooks": [hook]}
        return self._json("nhn", content, {"X-Toast-Webhook-Signature": self.secrets.nhn})

    def _twilio(self, taken: Taken, arrived: bool, at: str) -> Posted:
        fields = {"MessageSid": taken.number, "MessageStatus": "delivered" if arrived else "undelivered"}
        fields |= {"To": taken.to}
        signed = taken.calls_back + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.new(self.secrets.twilio.encode(), signed.encode(), hashlib.sha1).digest()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["X-Twilio-Signature"] = base64.b64encode(digest).decode()
        target = urlsplit(taken.calls_back)
        return Posted(target.path, target.query, headers, urlencode(fields).encode())

    def _postmark(self, taken: Taken, arrived: bool, at: str) -> Posted:
        event: dict[str, object] = {"MessageID": taken.number, "Metadata": {"key": taken.key}}
        if arrived:
            event |= {"RecordType": "Delivery", "Recipient": taken.to, "DeliveredAt": at}
        else:
            event |= {"RecordType": "Bounce", "Type": "HardBounce", "Email": taken.to, "BouncedAt": at, "ID": 1}
        login = base64.b64encode(self.secrets.anymail.encode()).decode()
        return self._json("anymail", event, {"Authorization": f"Basic {login}"})


class Posting:
    """A thread that posts the reports of what was taken."""

    def __init__(self, sender: Sender, ways: Iterable[str] = (), *, seed: int = 1) -> None:
        """Raises ValueError for a way that is none."""
        self._ways = set(ways)
        if self._ways - set(WAYS):
            raise ValueError(f"ways are {', '.join(WAYS)}")
        self._sender, self._random = sender, random.Random(seed)
        self._queue: Queue[Taken] = Queue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.posted = 0
        self.refused = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End when what waits is posted."""
        self._over.set()
        self._thread.join(timeout=30)

    def add(self, taken: Taken) -> None:
        self._queue.put(taken)

    def _run(self) -> None:
        while not (self._over.is_set() and self._queue.empty()):
            batch = self._batch(BATCH if "reordered" in self._ways else 1)
            if "late" in self._ways and batch and not self._over.is_set():
                self._over.wait(LATE)
            if "reordered" in self._ways:
                self._random.shuffle(batch)
            for taken in batch:
                for _time in range(2 if "doubled" in self._ways else 1):
                    self._post(self._sender.report(taken, unsigned="unsigned" in self._ways))

    def _batch(self, most: int) -> list[Taken]:
        """What waits now, up to `most`; less when nothing more comes within half a second."""
        found: list[Taken] = []
        until = time.monotonic() + 0.5
        while len(found) < most and time.monotonic() < until:
            try:
                found.append(self._queue.get(timeout=0.1))
            except Empty:
                continue
        return found

    def _post(self, posted: Posted) -> None:
        url = f"{self._sender.site}{posted.path}" + (f"?{posted.query}" if posted.query else "")
        request = urllib.request.Request(url, posted.body, posted.headers)  # noqa: S310  # our own site
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310
                self.posted += 1
        except OSError:  # urllib's errors are among them; a provider would try again, here it is counted
            self.refused += 1
