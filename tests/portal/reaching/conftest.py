"""Minji is in Moa and in Byeol, Jun in Moa; both can sign in, and have an address each."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from alerts.addresses import consents
from ledger.actors import Actor
from tests import alert_builders
from tests.builders import NOW, byeol, grant, jun, minji
from tests.windows import PASSWORD, sign_in_of

REACHING = "/programmes/moa/reaching/"


@pytest.fixture
def account(moa):
    """Minji in Moa, with 1,000 points and an address that is verified."""
    hers = minji(moa)
    grant(hers, 1_000)
    alert_builders.email(hers)
    sign_in_of(hers, minji(byeol()))
    return hers


@pytest.fixture
def other(moa, account):
    """Jun in Moa, with an address of his."""
    his = jun(moa)
    alert_builders.email(his, "jun@example.com")
    sign_in_of(his)
    return his


@pytest.fixture
def member(visitor: Client, account) -> Client:
    visitor.login(username="minji", password=PASSWORD)
    return visitor


def words(answer) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def say(account, purpose, given, *, channel="email", now=NOW, source="portal") -> None:
    consents.say(
        member=account.member,
        channel=channel,
        purpose=purpose,
        given=given,
        source=source,
        by=Actor("member", "7"),
        now=now,
    )
