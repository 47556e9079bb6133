"""The settings of the test run: the real ones, with a secret and a quick password hash."""

from config.settings import *  # noqa: F403  # the same settings under another name are the point

SECRET_KEY = "only-for-tests-" + "x" * 50
SEAL_KEY = b"only-for-tests".ljust(32, b"x")
SEAL_PUBLIC_KEYS = []
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
# Nothing is collected for tests; WhiteNoise would warn of the folder that is not there.
STATIC_ROOT = None  # type: ignore[assignment]
