"""The demo's processes beside the servers: how each is called, and what tells that it is up."""

import base64
import http.client
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.ports import HOST

PYTHON = sys.executable
CELERY = [PYTHON, "-m", "celery", "-A", "config"]
WORKERS = THREADS = 2
FOREIGN = ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY")  # of the user's own servers, not of this one

FOR_SHELLS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SEAL_KEY", "EMAIL_URL", "INBOX_MAILDIR", "SITE_URL")


@dataclass(frozen=True)
class Service:
    """A process that keeps running. `up_line` is the text in its log that says it is ready."""

    name: str
    argv: list[str]
    grace: float
    up_line: str = ""


def mail_sink(port: int, mail: Path) -> Service:
    argv = [PYTHON, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{port}", "-c", "aiosmtpd.handlers.Mailbox", str(mail)]
    return Service("Mail", argv, grace=1)


def web(listener: socket.socket) -> Service:
    """It is handed the listening socket. Answers to requests under way may take two seconds at the stop."""
    argv = [PYTHON, "-m", "gunicorn", "config.wsgi:application", "--bind", f"fd://{listener.fileno()}"]
    argv += ["--workers", str(WORKERS), "--threads", str(THREADS), "--graceful-timeout", "2", "--no-control-socket"]
    return Service("Web", argv, grace=3)


def worker() -> Service:
    argv = [*CELERY, "worker", "-c", str(WORKERS), "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
    return Service("Worker", argv, grace=5, up_line=" ready.")


def beat(home: Path) -> Service:
    argv = [*CELERY, "beat", "--schedule", str(home / "beat.db"), "--pidfile", "", "--loglevel", "INFO"]
    return Service("Beat", argv, grace=1, up_line="beat: Starting")


def environment(base: Mapping[str, str], *, home: Path, port: int, mail_port: int) -> dict[str, str]:
    """What the Django processes are told, on top of where the servers are."""
    kept = {name: value for name, value in base.items() if name not in FOREIGN}
    return kept | {
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "EMAIL_URL": f"smtp://{HOST}:{mail_port}",
        "HTTPS": "false",
        "INBOX_MAILDIR": str(home / "mail"),
        "POINTKEEP_DEMO": "true",
        "PYTHONUNBUFFERED": "1",
        "SEAL_KEY": _secret(home / "seal_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode()),
        "SECRET_KEY": _secret(home / "secret_key", lambda: secrets.token_urlsafe(48)),
        "SITE_URL": f"http://{HOST}:{port}",
    }


def write_environment(path: Path, environ: Mapping[str, str]) -> None:
    """A file for a shell (`. .data/demo/env`): commands given there work on the demo's data while it runs."""
    lines = (f"export {name}={shlex.quote(environ[name])}\n" for name in FOR_SHELLS)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(lines)


def _secret(path: Path, make: Callable[[], str]) -> str:
    """Made once, so that a restart signs nobody out and old seals verify; readable by its owner only."""
    if not path.exists():
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
        part.rename(path)
    return path.read_text()


def takes_mail(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def is_healthy(port: int) -> bool:
    """Asked directly: a proxy named in the environment has nothing to do here."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
