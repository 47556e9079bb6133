"""How a record becomes a line. What the whole alerting line says is in `tests/alerts/test_logs.py`."""

from __future__ import annotations

import copy
import logging
import smtplib
import sys
from typing import cast
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.core import signing
from django.test import RequestFactory
from django.urls import resolve

from alerts.errors import NotSent
from config.logs import LEFT_OUT, MOST_FRAMES, Lines, kind, masked, said, told
from ledger.errors import LedgerBroken

ID = UUID("0a1b2c3d-1111-4222-8333-444444444444")
ADDRESS = "minji@example.com"


def record(name: str, msg: object, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "/somewhere/library/module.py", 7, msg, args, None)
    made.__dict__.update(more)
    return made


def sentence(name: str, msg: object, *args: object, **more: object) -> str:
    return said(record(name, msg, *args, **more))


def caught(raising) -> BaseException:
    with pytest.raises(BaseException) as raised:
        raising()
    return raised.value


# --- Who may say what


@pytest.mark.parametrize("room", ["ledger.seals", "alerts.sending.deliveries", "portal", "config", "demo", "chaos.run"])
def test_our_own_loggers_say_the_whole_sentence(room):
    assert sentence(room, "delivery %s: %s after %d s", ID, "refused", 3) == f"delivery {ID}: refused after 3 s"
    assert sentence(room, "half of it, 100 %") == "half of it, 100 %"


def test_an_exception_in_our_own_sentence_is_its_type():
    assert sentence("ledger.expiry", "it failed: %s", ValueError(ADDRESS)) == "it failed: ValueError"


def test_of_what_others_are_given_numbers_and_ids_and_our_own_names_remain():
    words = ("%s %s %s %.1f %r", "alerts.tasks.deliver", str(ID), ID, 0.25, ADDRESS)
    assert sentence("kombu", *words) == f"alerts.tasks.deliver {ID} {ID} 0.2 '…'"
    assert sentence("kombu", "%d of %s", 3, "alerts.Minji Kim") == "3 of …"
    assert sentence("kombu", "it failed: %r", ConnectionRefusedError(111, ADDRESS)) == (
        "it failed: 'ConnectionRefusedError [111]'"
    )
    assert sentence("celery.app.trace", "Task %(name)s: %(exc)s", {"name": "ledger.tasks.sweep", "exc": ADDRESS}) == (
        "Task ledger.tasks.sweep: …"
    )


def test_what_does_not_fit_its_pattern_leaves_the_pattern():
    assert sentence("kombu", "%d of them", "Minji") == "%d of them"
    assert sentence("alerts.x", "%s and %s", 1) == "%s and %s"


def test_a_ready_made_sentence_of_others_leaves_only_where_it_was_said():
    assert sentence("httpcore.http11", "headers=[b'minji']") == "(said in library/module.py, line 7)"
    assert sentence("py.warnings", "minji") == "(said in library/module.py, line 7)"
    assert sentence("celerity", "minji") == "(said in library/module.py, line 7)"


def test_celery_may_say_that_it_starts():
    assert sentence("celery.beat", "beat: Starting...") == "beat: Starting..."
    assert sentence("celery.apps.worker", "%s ready.", "celery@minji") == "… ready."
    assert sentence("celery.worker", ValueError("minji")) == "ValueError"


# --- Requests


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/unsubscribe/a-token/", "500 POST /unsubscribe/<str:token>/"),
        ("/programmes/moa/reaching/7/", "500 POST /programmes/<slug:code>/reaching/<int:pk>/ pk=7"),
        ("/minji/", "500 POST (no such page)"),
    ],
)
def test_a_request_is_told_by_its_route(path, line):
    request = RequestFactory().post(path, {"email": ADDRESS})
    if "no such" not in line:
        request.resolver_match = resolve(path)
    for logger in ("django.request", "django.security.csrf", "alerts.api"):
        assert sentence(logger, "Forbidden (%s): %s", "why", path, request=request, status_code=500) == line


@pytest.mark.parametrize("logger", ["django.server", "gunicorn.access"])
def test_a_line_for_each_request_keeps_its_path_without_token_and_query(logger):
    words = '"GET /unsubscribe/a-token/ HTTP/1.1" 200 "http://localhost/unsubscribe/a-token/"'
    assert masked(sentence(logger, "%s", words)) == (
        '"GET /unsubscribe/…/ HTTP/1.1" 200 "http://localhost/unsubscribe/…/"'
    )
    searched = '"GET /admin/alerts/contact/?q=Minji+Kim HTTP/1.1" 200 "http://localhost/admin/?q=Minji"'
    assert masked(sentence(logger, searched)) == (
        '"GET /admin/alerts/contact/?… HTTP/1.1" 200 "http://localhost/admin/?…"'
    )


# --- Exceptions


def test_an_exception_is_its_type_and_what_is_known_without_words():
    assert kind(ValueError(ADDRESS)) == "ValueError"
    assert kind(NotSent(ADDRESS, answer=ADDRESS)) == "alerts.errors.NotSent [not_sent]"
    assert kind(LedgerBroken("a law", field="lots")) == "ledger.errors.LedgerBroken [ledger_broken, lots, a law]"
    assert kind(smtplib.SMTPDataError(554, ADDRESS.encode())) == "smtplib.SMTPDataError [554]"
    refused = smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"who?")})
    assert kind(refused) == "smtplib.SMTPRecipientsRefused [550]"
    assert kind(psycopg.errors.UniqueViolation(ADDRESS)) == "psycopg.errors.UniqueViolation [23505]"


def test_what_cannot_be_known_of_an_exception_costs_it_nothing():
    class Odd(Exception):
        @property
        def status_code(self) -> int:
            raise RuntimeError(ADDRESS)

    assert kind(Odd()) == f"{__name__}.{Odd.__qualname__}"


def refuse_at_once():
    raise smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"who?")})


def fail_of_it():
    try:
        refuse_at_once()
    except OSError as error:
        raise ValueError(f"nothing for {ADDRESS}") from error


def fail_on_the_way():
    try:
        fail_of_it()
    except ValueError:
        dict[str, str]()[ADDRESS]


def test_what_led_to_it_stands_above_with_files_lines_and_functions():
    lines = told(caught(fail_on_the_way))
    assert [line for line in lines if not line.startswith("  File ")] == [
        "Traceback (most recent call last):",
        "smtplib.SMTPRecipientsRefused [550]",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        "ValueError",
        "During handling of the above exception, another exception occurred:",
        "Traceback (most recent call last):",
        "KeyError",
    ]
    line = refuse_at_once.__code__.co_firstlineno + 1
    assert f'  File "{__file__}", line {line}, in refuse_at_once' in lines


def test_what_was_hidden_on_purpose_stays_hidden():
    def hide():
        try:
            refuse_at_once()
        except OSError:
            raise ValueError(ADDRESS) from None

    assert [line for line in told(caught(hide)) if not line.startswith("  File ")] == [
        "Traceback (most recent call last):",
        "ValueError",
    ]


def test_a_circle_of_causes_ends():
    first, second = ValueError(ADDRESS), KeyError(ADDRESS)
    first.__cause__, second.__cause__ = second, first
    assert told(first) == [
        "KeyError",
        "The above exception was the direct cause of the following exception:",
        "ValueError",
    ]


def test_a_group_tells_each_of_its_exceptions():
    assert told(ExceptionGroup(ADDRESS, [ValueError(ADDRESS), OSError(5, ADDRESS)])) == [
        "ExceptionGroup",
        "  | ValueError",
        "  | OSError [5]",
    ]


def test_of_an_endless_way_the_ends_are_told():
    def deeper():
        deeper()

    lines = told(caught(deeper))
    assert len(lines) == MOST_FRAMES + 3
    assert lines[11].startswith("  (")
    assert lines[11].endswith(" frames more)")
    assert lines[-1] == "RecursionError"


# --- The net


TOKEN = signing.Signer(key="x" * 50).sign_object([7, "email", "notice"])
DATED = signing.dumps([7, "email", "notice"], salt="any", key="x" * 50)


@pytest.mark.parametrize(
    "personal",
    [
        *(ADDRESS, "minji+points@mail.example.co.kr", "minji%40example.com", "민지@example.com"),
        *("+821012345678", "+82 10-1234-5678", "01012345678", "010-1234-5678", "010 1234 5678", "02-123-4567"),
        *("821012345678", "+14155552671"),
        TOKEN,
        pytest.param(DATED, id="dated"),  # another one in each process
    ],
)
def test_what_looks_personal_is_masked_all_the_same(personal):
    assert masked(f"it went to {personal}, twice") == f"it went to {LEFT_OUT}, twice"
    assert masked(f"to=('{personal}')") == f"to=('{LEFT_OUT}')"


@pytest.mark.parametrize(
    "words",
    [
        f"delivery {ID} is at 1774000000000 after 0.0123456789 s",
        "seal 12 of 20000 accounts: 01234567890123456789012345678901a1234567890123456789012345678901",
        "until 2026-03-31 03:04:05 2026-04-01T00:00:00.012345+09:00",
        "account 123456789, entry 1000000001",
        "waiting for /run/postgresql/.s.PGSQL.5432?",
        "500 POST /unsubscribe/<str:token>/",
    ],
)
def test_what_names_a_row_a_day_or_a_number_stays(words):
    assert masked(words) == words


# --- The whole line


def test_a_line_has_time_level_logger_words_and_the_exception():
    error = caught(refuse_at_once)
    made = record("alerts.sending", "delivery %s failed", ID)
    made.exc_info = (type(error), error, error.__traceback__)
    first, *rest = Lines().format(made).split("\n")
    assert first == f"{Lines().formatTime(made)} ERROR alerts.sending delivery {ID} failed"
    assert rest == told(error)


def test_the_record_is_left_as_it_is_and_what_others_kept_of_it_is_not_used():
    error = caught(refuse_at_once)
    made = record("kombu", "to %s", ADDRESS)
    made.exc_info, made.exc_text = (type(error), error, error.__traceback__), f"kept: {ADDRESS}"
    before = copy.copy(made.__dict__)
    assert ADDRESS not in Lines().format(made)
    assert made.__dict__ == before


def test_a_record_that_cannot_be_written_says_where_it_was_made_and_raises_nothing(monkeypatch):
    monkeypatch.setattr("config.logs.said", lambda record: 1 / 0)
    made = record("alerts.x", ADDRESS)
    assert Lines().format(made) == f"{Lines().formatTime(made)} ERROR alerts.x (said in library/module.py, line 7)"


def test_a_record_without_an_exception_may_say_that_it_has_none():
    made = record("alerts.x", "all is well")
    made.exc_info = sys.exc_info()
    assert Lines().format(made).endswith(" ERROR alerts.x all is well")


def test_every_handler_in_the_settings_writes_such_lines():
    assert settings.LOGGING["formatters"] == {"line": {"()": "config.logs.Lines"}}
    handlers = cast(dict[str, dict[str, str]], settings.LOGGING["handlers"])
    assert {handler["formatter"] for handler in handlers.values()} == {"line"}
    for name in ("django", "django.server", "django.request", "gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        assert (logger.handlers, logger.propagate) == ([], True)
    assert any(isinstance(handler.formatter, Lines) for handler in logging.getLogger().handlers)
