"""Other programs that a test starts: whatever becomes of the test, they end with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def started(argv: Sequence[Any], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The running program, with its standard output as a pipe of text; killed at the end if it still runs.

    `with subprocess.Popen(…)` would wait for its end, for ever where the test failed before it said so.
    """
    program = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **options)
    try:
        yield program
    finally:
        program.kill()  # nothing, once it has ended
        program.wait()
        assert program.stdout is not None
        program.stdout.close()
