"""The members' pages as a browser gets them."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import builders
from tests.builders import SEOUL, byeol, clawback, grant, jun, minji, redeem
from tests.looking import nothing_changes
from tests.windows import PASSWORD, sign_in_of, staff


@pytest.fixture
def cast(moa):
    """Minji is in Moa and Byeol, Jun in Moa; Minji can sign in."""
    hers, payback, his = minji(moa), minji(byeol()), jun(moa)
    grant(hers, 1000)
    grant(hers, 234, expires_at=datetime(2025, 4, 1, tzinfo=SEOUL))
    redeem(hers, 34)
    grant(payback, 77)
    grant(his, 987654)
    sign_in_of(hers, payback)
    return hers


def text_of(response) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_signing_in_leads_to_the_balance(visitor: Client, cast):
    assert visitor.get("/").headers["Location"] == "/sign-in/?next=/"

    answer = visitor.post("/sign-in/", {"username": "minji", "password": PASSWORD, "next": "/"}, follow=True)

    assert answer.redirect_chain == [("/", 302)]
    assert "Points you can use" in text_of(answer)


def test_a_wrong_password_is_said_and_lets_nobody_in(visitor: Client, cast):
    answer = visitor.post("/sign-in/", {"username": "minji", "password": "guess"})

    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (200, True)
    assert visitor.get("/").status_code == 302


def test_a_sign_in_never_leads_to_another_site(visitor: Client, cast):
    answer = visitor.post("/sign-in/", {"username": "minji", "password": PASSWORD, "next": "https://evil.example/"})

    assert answer.headers["Location"] == "/"


def test_signing_out_needs_a_post(visitor: Client, cast):
    visitor.login(username="minji", password=PASSWORD)

    assert visitor.get("/sign-out/").status_code == 405
    assert visitor.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert visitor.get("/").status_code == 302


def test_the_balance_page_shows_points_days_and_picture(visitor: Client, cast):
    visitor.login(username="minji", password=PASSWORD)
    page = visitor.get("/programmes/moa/")
    words = text_of(page)

    assert "1,200 P" in words
    assert "March 31, 2025 21 days left 200 P none due" in words
    assert "March 31, 2026 386 days left 1,000 P none due" in words
    assert '<svg role="img"' in page.content.decode()
    assert "March 2025: 200 P; March 2026: 1,000 P" in words
    assert page.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_korean_pages_say_so_and_are_in_korean(korean_visitor: Client, cast):
    korean_visitor.login(username="minji", password=PASSWORD)
    page = korean_visitor.get("/programmes/moa/")

    assert '<html lang="ko">' in page.content.decode()
    assert "사용 가능한 포인트 1,200P" in text_of(page)
    assert "2025년 3월 31일 21일 남음 200P" in text_of(page)


def test_the_language_is_switched_by_a_post_and_stays(korean_visitor: Client, cast):
    korean_visitor.login(username="minji", password=PASSWORD)
    assert korean_visitor.get("/language/").headers["Location"] == "/"
    assert '<html lang="ko">' in korean_visitor.get("/").content.decode()

    answer = korean_visitor.post("/language/", {"language": "en", "next": "/programmes/moa/history/"})

    assert answer.headers["Location"] == "/programmes/moa/history/"
    assert '<html lang="en">' in korean_visitor.get("/").content.decode()


def test_the_root_shows_the_first_programme_and_links_the_others(visitor: Client, cast):
    visitor.login(username="minji", password=PASSWORD)
    page = visitor.get("/").content.decode()

    assert '<a href="/programmes/byeol/" aria-current="true">Byeol</a>' in page
    assert '<a href="/programmes/moa/">Moa</a>' in page


def test_the_history_page_tells_newest_first(visitor: Client, cast):
    visitor.login(username="minji", password=PASSWORD)
    words = text_of(visitor.get("/programmes/moa/history/"))

    assert words.index("Points used −34 P") < words.index("Points received +234 P") < words.index("+1,000 P")
    assert "Balance after: 1,200 P" in words


def test_the_history_is_turned_over_by_the_number_of_the_last_line(visitor: Client, cast):
    for points in range(1, 31):
        grant(cast, points)
    visitor.login(username="minji", password=PASSWORD)

    first = visitor.get("/programmes/moa/history/").content.decode()
    assert '?before=9"' in first
    second = text_of(visitor.get("/programmes/moa/history/?before=9"))
    assert "no. 8 " in second
    assert "no. 9 " not in second
    assert "Newest" in second
    assert "Older" not in second


def test_numbers_of_a_thousand_and_more_stay_usable_in_links(visitor: Client, cast, monkeypatch):
    monkeypatch.setattr("portal.history.PAGE", 1)
    visitor.login(username="minji", password=PASSWORD)

    assert "?before=1,0" not in visitor.get("/programmes/moa/history/?before=1001").content.decode()


@pytest.mark.parametrize("before", ["abc", "0", "-1", "1.5", "1e3", "1,000", "", "٣", "9" * 19])
def test_a_broken_number_is_a_clear_400(visitor: Client, cast, before: str):
    visitor.login(username="minji", password=PASSWORD)
    answer = visitor.get("/programmes/moa/history/", {"before": before})

    assert answer.status_code == 400
    assert "“before” must be a whole number of at least 1." in text_of(answer)


@pytest.mark.parametrize("path", ["/programmes/nope/", "/programmes/nope/history/", "/programmes/quiet/", "/nope/"])
def test_what_is_not_there_is_a_clear_404(visitor: Client, cast, path: str):
    builders.moa("quiet")  # a programme that exists, and that Minji is not in: told apart from none by nobody
    visitor.login(username="minji", password=PASSWORD)
    answer = visitor.get(path)

    assert answer.status_code == 404
    assert "This page does not exist" in text_of(answer)
    assert "Traceback" not in answer.content.decode()


def test_nobody_sees_anothers_points(visitor: Client, cast):
    visitor.login(username="minji", password=PASSWORD)

    for path in ("/", "/programmes/moa/", "/programmes/moa/history/", "/programmes/byeol/"):
        page = visitor.get(path).content.decode()
        assert "987,654" not in page
        assert "jun" not in page


def test_a_user_without_membership_is_told_kindly(visitor: Client, cast):
    User.objects.create_user("guest", password=PASSWORD)
    visitor.login(username="guest", password=PASSWORD)

    answer = visitor.get("/")
    assert answer.status_code == 200
    assert "You are signed in as guest, but no programme is connected with this sign-in yet." in text_of(answer)
    assert visitor.get("/programmes/moa/").status_code == 404
    assert visitor.get("/programmes/moa/history/").status_code == 404


def test_staff_find_the_way_to_the_administration(visitor: Client, moa):
    staff("view_lot")
    visitor.login(username="sora", password=PASSWORD)

    assert 'href="/admin/"' in visitor.get("/").content.decode()


def test_a_debt_is_said_plainly(visitor: Client, cast):
    clawback(cast, 1250)
    visitor.login(username="minji", password=PASSWORD)
    words = text_of(visitor.get("/programmes/moa/"))

    assert "Points you can use 0 P You are 50 P in debt." in words
    assert "You have no points at the moment." in words


def test_an_empty_history_says_so(visitor: Client, moa):
    sign_in_of(minji(moa))
    visitor.login(username="minji", password=PASSWORD)

    assert "Nothing has happened yet." in text_of(visitor.get("/programmes/moa/history/"))


@pytest.mark.parametrize("path", ["/programmes/moa/", "/programmes/moa/history/"])
def test_looking_never_writes_and_writing_is_refused(visitor: Client, cast, path: str):
    visitor.login(username="minji", password=PASSWORD)
    with (
        nothing_changes(),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        assert visitor.get(path).status_code == 200
        assert visitor.post(path).status_code == 405
    assert [q["sql"] for q in queries if not q["sql"].startswith("SELECT")] == []


def test_the_strict_policy_finds_no_inline_style_or_script(visitor: Client, cast):
    visitor.login(username="minji", password=PASSWORD)

    for path in ("/", "/programmes/moa/", "/programmes/moa/history/"):
        answer = visitor.get(path)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.content.decode())
