"""The installation runs when the lock has changed, and only then."""

import hashlib

import pytest

from devstack import install


@pytest.fixture
def calls(place, monkeypatch):
    """A project with a lock and an environment, in which pip and venv only say that they were called."""
    monkeypatch.chdir(place)
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / ".venv" / "bin" / "python").touch()
    (place / "requirements.lock").write_text("django==5.2\n")
    called: list[str] = []

    def installed() -> bool:
        called.append("install")
        return True

    monkeypatch.setattr(install, "_install", installed)
    return called


def test_a_second_run_does_nothing_until_the_lock_changes(calls, place):
    assert [install.main(), install.main()] == [0, 0]
    assert calls == ["install"]
    assert (place / ".venv" / "installed-lock").read_text() == hashlib.sha256(b"django==5.2\n").hexdigest()
    (place / "requirements.lock").write_text("django==5.3\n")
    assert install.main() == 0
    assert calls == ["install", "install"]


def test_a_failed_installation_is_tried_again(calls, monkeypatch):
    with monkeypatch.context() as failing:
        failing.setattr(install, "_install", lambda: False)
        assert install.main() == 1
    assert install.main() == 0
    assert calls == ["install"]
