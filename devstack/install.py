"""Fill .venv with the locked packages, only when the lock has changed: PYTHON devstack/install.py

Run by the Python that the environment is to be made with, so nothing but the standard library is used here.
A stamp inside .venv holds the digest of the lock that was installed last.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VENV = Path(".venv")
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-lock"
LOCK = Path("requirements.lock")
LOG = Path(".data/install.log")
PIP = ["install", "--require-hashes", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
ARRIVAL = re.compile(r"(?:Collecting|Requirement already satisfied:|Processing \S*/)\s*([\w.]+(?:-[A-Za-z]\w*)*)")


def main() -> int:
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if _is_installed(wanted):
        return 0
    LOG.parent.mkdir(exist_ok=True)
    with _alone():
        if _is_installed(wanted):  # by the one we waited for
            return 0
        if not _make_venv() or not _install():
            return 1
        STAMP.write_text(wanted)
    return 0


def _is_installed(wanted: str) -> bool:
    return STAMP.exists() and STAMP.read_text() == wanted and _works()


def _works() -> bool:
    """Whether the environment's Python is still there: the folder may come from another machine."""
    try:
        return VENV_PYTHON.exists()
    except OSError:
        return False


@contextmanager
def _alone() -> Iterator[None]:
    """Two make commands in a fresh clone must not fill the same environment at once."""
    with open(LOG.with_suffix(".lock"), "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another installation in this folder ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_venv() -> bool:
    """Make the environment, without a pip of its own where the system's Python cannot give it one."""
    if _works():
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    version = ".".join(str(part) for part in sys.version_info[:3])
    print(f"Making {VENV} with Python {version} ({sys.executable})", flush=True)
    for options in ([], ["--clear", "--without-pip"]):
        made = subprocess.run([sys.executable, "-m", "venv", *options, VENV], capture_output=True, text=True)
        if made.returncode == 0:
            return True
    print(f"{VENV} could not be made:\n{made.stdout}{made.stderr}", file=sys.stderr)
    return False


def _pip() -> list[str]:
    """The environment's own pip, or the system's working on the environment (pip 22.3 or newer)."""
    if subprocess.run([VENV_PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [str(VENV_PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]


def _install() -> bool:
    total = len(re.findall(r"^[A-Za-z0-9]", LOCK.read_text(), re.MULTILINE))
    print(f"Installing up to {total} locked packages (what pip says: {LOG})", flush=True)
    seen: list[str] = []
    with open(LOG, "w") as log:
        pip = subprocess.Popen([*_pip(), *PIP, "-r", LOCK], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            found = ARRIVAL.match(line)
            if found and found[1] not in seen:
                seen.append(found[1])
                _show(f"  {len(seen)}/{total} {found[1]}", brief=len(seen) % 10 == 0)
            elif line.startswith("Installing collected"):
                _show("  unpacking ...")
    if pip.wait() == 0:
        _show("  installed\n")
        return True
    tail = "".join(LOG.read_text().splitlines(keepends=True)[-20:])
    print(f"\nThe packages could not be installed; the end of {LOG}:\n{tail}", file=sys.stderr)
    return False


def _show(text: str, brief: bool = True) -> None:
    """In a terminal the line is written over; elsewhere there are lines, and `brief` says which ones."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif brief:
        print(text.rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
