"""The folders of one stack: its home, its sockets, and what must lie outside of the home.

One process at a time holds a home, so several stacks run side by side and none starts twice. The sockets lie
in a short folder below /tmp, because a socket's path may have 107 bytes at most and a project's path is often
longer ($TMPDIR may be long, too). A token made with the home is part of that folder's name: a home that was
removed and made again never meets what its predecessor left behind.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from devstack.errors import AlreadyRunning, Refused
from devstack.processes import end_leftovers

SOCKETS = Path("/tmp")  # noqa: S108 -- own_folder() refuses what others have put there
OUTSIDE = Path("/var/tmp")  # noqa: S108 -- as above
RECORD = "processes"
SIGNPOST = "home"
AS_ROOT = os.getuid() == 0


def own_folder(folder: Path) -> Path:
    """Make a folder in a place where everybody may write; refuse one that somebody else has put there.

    The mode is set after the making, because a strict umask would keep 'nobody' out of it.
    """
    folder.mkdir(exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.getuid():
        raise Refused(f"{folder} belongs to somebody else; remove it and try again")
    folder.chmod(0o711 if AS_ROOT else 0o700)
    return folder


class Home:
    """A stack's folder, held by this process until close() or its end."""

    def __init__(
        self, folder: Path, *, throwaway: bool = False, keep_waiting: Callable[[], bool] = lambda: False
    ) -> None:
        """Raises AlreadyRunning, Refused. `keep_waiting` is asked while the holder is starting or stopping."""
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711 if AS_ROOT else 0o700)
        self.folder = folder.resolve()
        self.throwaway = throwaway
        self.record = self.folder / RECORD  # what was started from here, for the clearing up after a kill -9
        self.address = self.folder / "address"  # where the demo answers; there only while it does
        self._lock = self._take(keep_waiting)
        self.address.unlink(missing_ok=True)
        end_leftovers(self.record)
        tag = self._tag()
        self.outside = OUTSIDE / tag  # made only when it is needed
        self.sockets = self._signposted(SOCKETS / tag)
        if throwaway:
            (self.sockets / "throwaway").touch()

    @classmethod
    def fresh(cls) -> "Home":
        """A home in a new temporary folder, which close() removes. Clears away those that a kill -9 left."""
        sweep()
        folder = Path(tempfile.mkdtemp(prefix="pointkeep-run-"))
        folder.chmod(0o711 if AS_ROOT else 0o700)  # as root, PostgreSQL runs as 'nobody' and must get in
        return cls(folder, throwaway=True)

    def close(self) -> None:
        """Let go of the home, without its sockets; a throwaway one is removed with everything that belongs to it."""
        if self._lock.closed:  # by now it may be somebody else's home
            return
        self.address.unlink(missing_ok=True)
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self.outside.exists() and os.listdir(self.outside) == [SIGNPOST]:  # no data there, only copies were
            shutil.rmtree(self.outside, ignore_errors=True)
        if self.throwaway:
            self.remove()
        self._lock.close()

    def remove(self) -> None:
        """Remove the home, its sockets and what lies outside of it. The lock is held until close()."""
        for folder in (self.outside, self.sockets, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def make_outside(self) -> Path:
        """The folder below /var/tmp, made on demand."""
        return self._signposted(self.outside)

    def _signposted(self, folder: Path) -> Path:
        """Make a folder of ours that says which home it belongs to, for sweep()."""
        own_folder(folder)
        (folder / SIGNPOST).write_bytes(os.fsencode(self.folder))
        return folder

    def _take(self, keep_waiting: Callable[[], bool]) -> IO[bytes]:
        path = self.folder / "lock"
        while True:
            lock = open(path, "ab")  # noqa: SIM115 -- held open as long as the home is
            if _locked(lock) and _same_file(lock, path):
                return lock
            lock.close()
            if self.address.exists() or not keep_waiting():
                where = f" at {self.address.read_text().strip()}" if self.address.exists() else ""
                raise AlreadyRunning(f"already running{where} (data in {self.folder})")
            time.sleep(0.1)

    def _tag(self) -> str:
        token = self.folder / "token"
        if not token.exists():
            token.write_text(secrets.token_hex(8))
        digest = hashlib.sha256(os.fsencode(self.folder) + token.read_bytes()).hexdigest()
        return f"pointkeep-{os.getuid()}-{digest[:10]}"


def _locked(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same_file(lock: IO[bytes], path: Path) -> bool:
    """Whether the file that was locked is still the one in the folder: a reset may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def sweep() -> None:
    """Remove what homes that are gone have left, and throwaway homes that nobody holds any more."""
    for parent in (SOCKETS, OUTSIDE):
        for folder in parent.glob(f"pointkeep-{os.getuid()}-*"):
            with contextlib.suppress(FileNotFoundError):  # another sweep may be at it
                if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                    _sweep(folder)


def _sweep(folder: Path) -> None:
    home = Path(os.fsdecode((folder / SIGNPOST).read_bytes()))
    if (folder / "throwaway").exists() and _abandoned(home):
        end_leftovers(home / RECORD)
        shutil.rmtree(home, ignore_errors=True)
    if not home.exists():
        shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    try:
        with open(folder / "lock", "rb") as lock:
            return _locked(lock)
    except OSError:
        return False
