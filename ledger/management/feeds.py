"""What the commands about feeds share: opening the file, the progress bar, the file of rejected rows."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError
from tqdm import tqdm

from ledger.feed import FeedRefused
from ledger.imports import Rejected

FILE_REFUSED = 2  # exit codes of the commands about feeds
STOPPED = 3


def count_lines(path: Path) -> int:
    """How many lines the file has, for the progress bar. Raises FeedRefused where there is no such file."""
    if not path.is_file():
        raise FeedRefused("there is no such file")
    try:
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError as error:
        raise FeedRefused(f"it cannot be read: {error.strerror}") from error


def open_feed(path: Path) -> IO[str]:
    """The file as text. What is not UTF-8 arrives as lone surrogates, so that it spoils its own row only."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def progress(title: str, lines: int) -> tqdm:
    """A progress bar over rows on standard error; quiet where nobody watches."""
    return tqdm(total=lines, desc=title, unit=" rows", file=sys.stderr, disable=None)


def check_output(path: Path, *, option: str, feed: Path) -> None:
    """Refuse, before anything is written, a file that could not be written to, or that is the feed itself."""
    if path.exists() and feed.exists() and path.samefile(feed):
        raise CommandError(f"{option}: {path} is the feed itself", returncode=FILE_REFUSED)
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandError(f"{option}: {path} cannot be written", returncode=FILE_REFUSED)


class RejectsFile:
    """Rejected rows as CSV: line, reason, then the row as it came. The file is made with the first reject."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self.path = path
        self._header = header
        self._file: IO[str] | None = None

    def __call__(self, rejected: Rejected) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            self._write(["line", "reason", *self._header])
        self._write([str(rejected.line), rejected.reason, *rejected.fields])

    def _write(self, fields: list[str]) -> None:
        csv.writer(self._file, lineterminator="\n").writerow(fields)  # type: ignore[arg-type]  # open by now

    def close(self) -> None:
        if self._file:
            self._file.close()


@contextmanager
def rejects(path: Path, header: list[str]) -> Iterator[RejectsFile]:
    file = RejectsFile(path, header)
    try:
        yield file
    finally:
        file.close()
