"""Whatever the ledger refuses is told to staff in the language of their page."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from ledger.admin.refusals import DETAILS, REFUSALS, said
from ledger.errors import BadInput, LedgerError, WorseTooSoon
from ledger.inputs import check_reason
from tests.ledger.test_errors import ALL

HANGUL = re.compile(r"[가-힣]")
CODES = sorted({kind.code for kind in ALL} - {"bad_input"})


def test_every_error_of_the_ledger_has_its_words():
    assert sorted(REFUSALS) == CODES


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_is_said_in_both_languages(code: str):
    (kind,) = (kind for kind in ALL if kind.code == code)
    error = kind.__new__(kind)
    LedgerError.__init__(error, "an English detail that no page shows")
    with override("en"):
        english = said(error)
    with override("ko"):
        korean = said(error)
    assert english.endswith(".")
    assert not HANGUL.search(english)
    assert HANGUL.search(korean)
    assert "detail" not in english + korean


def test_a_policy_that_comes_too_soon_is_said_in_korean():
    with override("ko"):
        assert said(WorseTooSoon("New points would be worse (count)")) == (
            "새로 적립되는 포인트의 조건을 불리하게 바꾸는 정책은 시행 전에 충분한 기간을 두고 공지해야 합니다."
        )


@pytest.mark.parametrize("detail", DETAILS)
def test_what_is_wrong_with_a_form_is_said_in_both_languages(detail: str):
    error = BadInput(detail, field="reason")
    with override("en"):
        assert said(error) == f"This cannot be used as it was entered. {detail}"
    with override("ko"):
        assert said(error).startswith("입력하신 값을 사용할 수 없습니다. ")
        assert HANGUL.search(said(error).removeprefix("입력하신 값을 사용할 수 없습니다. "))
        assert detail not in said(error)


@pytest.mark.parametrize("reason", [" ", "x" * 501, "a\u200bb"])
def test_what_the_ledger_says_of_a_reason_is_among_the_details(reason: str):
    with pytest.raises(BadInput) as refusal:
        check_reason(reason)
    assert refusal.value.detail in DETAILS
