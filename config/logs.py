"""How a log record becomes a line: without personal data, whoever wrote it.

Nothing is looked for and cut out of a stranger's sentence; it is not printed to begin with. What remains:

    our own loggers     the whole sentence: they name rows by their numbers
    a request           its status, its method and the route that it took, never its path, which can be a token
    Celery's sentences  that were given nothing: a worker is ready, a beat starts
    all other loggers   the pattern of the sentence, with numbers, ids and our own names in it and "…" for any other
                        word; of a sentence that came ready-made, only where it was said
    exceptions          their types with what is known without words, and the frames: file, line, function

Last, a net (`masked`) takes out what looks like an address, a telephone number or a token all the same.
"""

from __future__ import annotations

import logging
import re
import smtplib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from types import TracebackType
from typing import Any
from uuid import UUID

import psycopg
from django.http import HttpRequest

from alerts.errors import AlertsError
from ledger.errors import LedgerError

OURS = frozenset({"ledger", "alerts", "portal", "config", "demo", "hammer", "chaos"})
# One line for each request, with its path; what is personal in it stands in known places, and is masked there.
ACCESS = frozenset({"django.server", "gunicorn.access"})
LEFT_OUT = "…"
MOST_FRAMES = 60  # of one exception, as when something calls itself for ever

_OUR_WORD = re.compile(rf"[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|(?:{'|'.join(sorted(OURS))})(\.\w+)+")
_NET = [
    (re.compile(r"(/unsubscribe/)[^/\s\"'?#<]+"), rf"\1{LEFT_OUT}"),  # `<` begins the name of a route's part
    (re.compile(r"[\w.-]{4,}:(?:[\w-]{5,7}:)?[\w-]{43}(?![\w-])"), LEFT_OUT),  # django.core.signing
    (re.compile(r"(/[^\s\"'?]*)\?[^\s\"']+"), rf"\1?{LEFT_OUT}"),  # what somebody looked for
    (re.compile(r"[^\s<>\"'(){}\[\],;:=/]+(?:@|%40)[^\s<>\"'(){}\[\],;:=/]+", re.IGNORECASE), LEFT_OUT),
    (re.compile(r"(?<![\w.+-])\+\d[\d -]{6,}\d(?![\w-])"), LEFT_OUT),
    (re.compile(r"(?<![\w.+-])(?:0\d{1,2}|82[ -]?10)[ -]?\d{3,4}[ -]?\d{4}(?![\w-])"), LEFT_OUT),
]


class Lines(logging.Formatter):
    """Time, level, logger, what was said, and the exceptions below it.

    The record stays as it is, and what another formatter kept of its exception is not used. It never raises:
    `logging` would print the bare record.
    """

    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record)} {record.levelname} {record.name}"
        try:
            lines = [f"{head} {masked(said(record))}"]
            if record.exc_info and isinstance(record.exc_info[1], BaseException):
                lines += told(record.exc_info[1], record.exc_info[2])
            return "\n".join(lines)
        except Exception:
            return f"{head} {_place(record)}"


def said(record: logging.LogRecord) -> str:
    """The sentence of a record, without what it was given unless that is known to be no personal data."""
    request = getattr(record, "request", None)
    if isinstance(request, HttpRequest):
        return _asked(request, getattr(record, "status_code", None))
    room = record.name.partition(".")[0]
    if isinstance(record.msg, BaseException):
        return kind(record.msg)
    if room in OURS:
        return _sentence(record, _of_ours)
    if record.name in ACCESS:
        return record.getMessage()
    if record.args:
        return _sentence(record, _of_a_stranger)
    return str(record.msg) if room == "celery" else _place(record)


def masked(words: str) -> str:
    """Words without what looks like an e-mail address, a telephone number, a query or a signed token."""
    for pattern, instead in _NET:
        words = pattern.sub(instead, words)
    return words


def kind(error: BaseException) -> str:
    """An exception without its words: its type, and what is known of it as numbers and names of ours."""
    name = type(error).__qualname__
    if type(error).__module__ != "builtins":
        name = f"{type(error).__module__}.{name}"
    try:
        known = list(_known(error))
    except Exception:
        known = []  # a stranger's attribute can be anything; the type is worth more than a number
    return f"{name} [{', '.join(known)}]" if known else name


def told(error: BaseException, trace: TracebackType | None = None) -> list[str]:
    """An exception and what led to it, the first of them first, as Python shows them, without words and source."""
    lines: list[str] = []
    chain = [(error, trace or error.__traceback__, "")]
    while (earlier := _earlier(chain[0][0])) is not None and all(earlier[0] is not known for known, *_ in chain):
        chain.insert(0, (earlier[0], earlier[0].__traceback__, earlier[1]))
    for one, its_trace, link in chain:
        lines += ["Traceback (most recent call last):", *_frames(its_trace)] if its_trace else []
        lines.append(masked(kind(one)))
        if isinstance(one, BaseExceptionGroup):
            lines += [f"  | {line}" for each in one.exceptions for line in told(each)]
        lines += [link] if link else []
    return lines


def _earlier(error: BaseException) -> tuple[BaseException, str] | None:
    """What led to an exception, and how."""
    if error.__cause__ is not None:
        return error.__cause__, "The above exception was the direct cause of the following exception:"
    if error.__context__ is not None and not error.__suppress_context__:
        return error.__context__, "During handling of the above exception, another exception occurred:"
    return None


def _frames(trace: TracebackType | None) -> list[str]:
    """Where it went: file, line and function. Celery's tracebacks are copies of Python's, with less in them."""
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
        trace = trace.tb_next
    if len(frames) > MOST_FRAMES:
        frames[10 : 10 - MOST_FRAMES] = [f"  ({len(frames) - MOST_FRAMES} frames more)"]
    return frames


def _known(error: BaseException) -> Iterator[str]:
    """What helps at night and cannot be personal. The ledger holds no personal data, so its errors may speak."""
    if isinstance(error, AlertsError | LedgerError):
        yield error.code
        yield from filter(None, [error.field])
    if isinstance(error, LedgerError):
        yield str(error.detail)
    if isinstance(error, psycopg.Error):
        yield from filter(None, [error.sqlstate, error.diag.table_name, error.diag.constraint_name])
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        yield from sorted({str(int(code)) for code, _ in error.recipients.values()})
    for name in ("errno", "smtp_code", "status_code"):
        number = getattr(error, name, None)
        if isinstance(number, int):
            yield str(number)


def _asked(request: HttpRequest, status: object) -> str:
    """A request by its route. Numbers of rows stay; other parts of the path may be anything."""
    match = request.resolver_match
    if match is None:
        return f"{status} {request.method} (no such page)"
    numbers = [f"{name}={value}" for name, value in match.kwargs.items() if isinstance(value, int)]
    return " ".join([str(status), str(request.method), f"/{match.route}", *numbers])


def _sentence(record: logging.LogRecord, of: Any) -> str:
    """The record's pattern with what it was given, each as `of` has it; the bare pattern if that does not fit."""
    args = record.args
    if not args:
        return str(record.msg)
    given = {name: of(value) for name, value in args.items()} if isinstance(args, dict) else tuple(map(of, args))
    try:
        return str(record.msg) % given
    except Exception:
        return str(record.msg)


def _of_ours(value: object) -> object:
    return kind(value) if isinstance(value, BaseException) else value


def _of_a_stranger(value: object) -> object:
    """A number, a day, an id or a name of ours; of anything else nothing is known."""
    if isinstance(value, BaseException):
        return kind(value)
    if value is None or isinstance(value, int | float | Decimal | date | UUID):
        return value
    return value if isinstance(value, str) and _OUR_WORD.fullmatch(value) else LEFT_OUT


def _place(record: logging.LogRecord) -> str:
    """Where something was said: there its words can be looked up."""
    return f"(said in {'/'.join(PurePath(record.pathname).parts[-2:])}, line {record.lineno})"
