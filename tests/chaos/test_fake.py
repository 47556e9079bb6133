"""The fake provider as a run has it: where it listens, what it took by our key, and its reports."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx

from alerts.fakes.providers import KEY_KEPT
from chaos.fake import Fake
from chaos.kinds import KINDS, NHN, SOLAPI


def test_the_line_is_told_where_it_listens():
    with Fake({"SOLAPI_API_URL": "{url}", "SMS_TRANSPORT": "solapi"}, 1) as fake:
        assert httpx.get(f"{fake.environment['SOLAPI_API_URL']}/health").json() == {}
        assert fake.taken == {}
    assert fake.environment["SMS_TRANSPORT"] == "solapi"


def test_what_it_took_is_counted_by_our_key(monkeypatch):
    monkeypatch.setattr("chaos.fake.SHARES", {})
    monkeypatch.setattr("chaos.fake.WAYS", ())
    key = str(uuid4())
    message = {
        "to": "01020000000",
        "from": "0212345678",
        "text": "Your points",
        "type": "SMS",
        "customFields": {"key": key},
    }
    with Fake(SOLAPI, 1) as fake:
        url = f"{fake.environment['SOLAPI_API_URL']}/messages/v4/send-many/detail"
        httpx.post(url, json={"messages": [message]}, headers={"Authorization": "HMAC-SHA256 apiKey=key"})
        assert fake.taken == {key: 1}
    assert fake.faults == "0 reports came through and 1 did not"


def test_its_keys_grow_old_by_the_clock_of_the_run(clock, monkeypatch):
    monkeypatch.setattr("chaos.fake.SHARES", {})
    monkeypatch.setattr("chaos.fake.WAYS", ())
    key = str(uuid4())
    message = {
        "senderGroupingKey": key,
        "templateCode": "points-60",
        "recipientList": [{"recipientNo": "01020000000", "recipientGroupingKey": key, "content": "Your points"}],
    }
    with Fake(NHN, 1) as fake:
        url = f"{fake.environment['NHN_ALIMTALK_API_URL']}/alimtalk/v2.3/appkeys/app/raw-messages"
        headers = {"X-Secret-Key": "key", "X-NC-API-IDEMPOTENCY-KEY": key}

        def answered() -> int:
            said = httpx.post(url, json=message, headers=headers).json()
            return int(said["header"]["resultCode"])

        assert [answered(), answered()] == [0, -1005]
        clock.leap_to(clock.now() + KEY_KEPT - timedelta(seconds=20))
        assert answered() == -1005
        clock.leap_to(clock.now() + timedelta(minutes=1))
        assert answered() == 0
        assert fake.taken == {key: 2}


def test_there_is_a_run_for_each_kind_of_channel():
    kinds = [(kind.name, kind.channel, kind.exactly_once) for kind in KINDS.values()]
    assert kinds == [("smtp", "email", False), ("key", "alimtalk", True), ("look-up", "sms", True)]
