"""Which binaries are started."""

import pytest

from devstack.binaries import package_folder, postgres_install, postgres_version, valkey_server
from devstack.errors import NotInstalled, Refused


def test_both_versions_of_postgresql_and_valkey_are_there():
    for version in ("18", "16"):
        assert (postgres_install(version) / "bin" / "postgres").exists()
    assert valkey_server().exists()


def test_the_version_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("POINTKEEP_PG", raising=False)
    assert postgres_version() == "18"
    monkeypatch.setenv("POINTKEEP_PG", "16")
    assert postgres_version() == "16"


def test_a_version_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("POINTKEEP_PG", "9.6")
    with pytest.raises(Refused, match=r"POINTKEEP_PG: '9\.6'"):
        postgres_version()


def test_a_missing_package_says_what_to_do():
    with pytest.raises(NotInstalled, match="make install"):
        package_folder("pointkeep_no_such_package")
