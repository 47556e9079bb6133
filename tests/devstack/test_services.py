"""What the demo's processes are told."""

from devstack.services import environment


def test_the_application_is_told_where_everything_is_and_not_the_users_own_settings(place):
    base = {"DATABASE_URL": "db", "DJANGO_SETTINGS_MODULE": "other.settings", "HTTPS": "true", "WEB_CONCURRENCY": "9"}
    told = environment(base, home=place, port=8001, mail_port=2525)
    secret = told.pop("SECRET_KEY")
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
    assert environment(base, home=place, port=8001, mail_port=2525)["SECRET_KEY"] == secret
