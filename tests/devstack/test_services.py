"""What the demo's processes are told."""

import base64
import os
import subprocess

from devstack.services import FOR_SHELLS, environment, write_environment


def test_the_application_is_told_where_everything_is_and_not_the_users_own_settings(place):
    base = {"DATABASE_URL": "db", "DJANGO_SETTINGS_MODULE": "other.settings", "HTTPS": "true", "WEB_CONCURRENCY": "9"}
    told = environment(base, home=place, port=8001, mail_port=2525)
    secret, seal_key = told.pop("SECRET_KEY"), told.pop("SEAL_KEY")
    assert told == {
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_URL": "db",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "EMAIL_URL": "smtp://127.0.0.1:2525",
        "HTTPS": "false",
        "INBOX_MAILDIR": str(place / "mail"),
        "POINTKEEP_DEMO": "true",
        "PYTHONUNBUFFERED": "1",
        "SITE_URL": "http://127.0.0.1:8001",
    }
    assert len(secret) >= 50
    assert len(base64.b64decode(seal_key, validate=True)) == 32
    again = environment(base, home=place, port=8001, mail_port=2525)
    assert (again["SECRET_KEY"], again["SEAL_KEY"]) == (secret, seal_key)


def test_a_shell_can_read_the_environment_from_a_file_for_its_owner_only(place):
    told = {name: f"it's {name} & more" for name in FOR_SHELLS}
    write_environment(place / "env", told)
    shell = subprocess.run(
        ["sh", "-c", '. ./env; printf "%s\n" "$DATABASE_URL"; env | grep -c "^SECRET_KEY="'],
        cwd=place,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert shell.stdout == "it's DATABASE_URL & more\n1\n"
    assert (place / "env").stat().st_mode & 0o777 == 0o600
