"""The habits of the house as checks: each reads the tree below a folder and says what is wrong where, and what to do.

`test_house.py` runs them on this project, and on a small project with one planted offence each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

APPS = ("ledger", "alerts", "portal", "desk", "claims")
OURS = (*APPS, "config", "demo", "hammer", "chaos", "devstack", "benchmarks", "tests")
NOT_OURS = {".venv", ".git", ".data", "staticfiles", "node_modules", "__pycache__"}

LONGEST_FILE, LONGEST_FUNCTION = 300, 60
LONGEST_TEST_FILE, LONGEST_TEST_FUNCTION = 500, 80  # a test file tells one story from its first page to its last


@dataclass(frozen=True, order=True)
class Offence:
    """Something that is not done here: where it stands, what it is, and what is done instead."""

    path: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}. {self.instead}"


Check = Callable[[Path], Iterator[Offence]]


@dataclass(frozen=True)
class Source:
    """One of our Python files, parsed."""

    path: str  # from the root, with forward slashes
    text: str
    tree: ast.Module

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    def nodes(self, *kinds: type) -> Iterator:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def calls(self) -> Iterator[tuple[ast.Call, list[str]]]:
        """Each call with the names it goes through: `Lot.objects.all().update(…)` is Lot, objects, all, update."""
        for call in self.nodes(ast.Call):
            yield call, _names(call.func)


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=value, attr=name):
            return [*_names(value), name]
        case ast.Call(func=function):
            return _names(function)
        case ast.Subscript(value=value):
            return _names(value)
    return []


@cache
def _parsed(path: Path, root: Path, _changed: int) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(root).as_posix(), text, ast.parse(text))


def sources(root: Path, *folders: str) -> Iterator[Source]:
    """Our Python files below these folders, and those at the root itself; generated migrations are not ours."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] not in folders or NOT_OURS & set(parts) or "migrations" in parts:
            continue
        yield _parsed(path, root, path.stat().st_mtime_ns)


# --- The clock

# A call to a provider carries the date that its signature covers; the fakes of the providers are a world of their own.
EDGES = {"admin", "api", "tasks.py", "management", "checks", "channels", "fakes"}
CLOCKS = {
    *(("timezone", name) for name in ("now", "localdate", "localtime")),
    *(("datetime", name) for name in ("now", "utcnow", "today")),
    *(("date", "today"), ("time", "time"), ("time", "time_ns")),
}


def the_clock_is_read_at_the_edges(root: Path) -> Iterator[Offence]:
    instead = "Take `now` as a keyword argument; only admin, api, tasks, commands, checks and views read the clock"
    for source in sources(root, *APPS, "config"):
        if EDGES & set(source.parts) or source.parts[-1] == "views.py":
            continue
        for node in source.nodes(ast.Attribute):
            if tuple(_names(node)[-2:]) in CLOCKS:
                yield Offence(source.path, node.lineno, f"it reads the clock: {'.'.join(_names(node)[-2:])}", instead)
        for node in source.nodes(ast.ImportFrom):
            if any((str(node.module).split(".")[-1], name.name) in CLOCKS for name in node.names):
                yield Offence(source.path, node.lineno, "it imports the clock", instead)


# --- The pen

FACTS = {"Entry", "Lot", "Allocation", "Extension", "Notice", "Account", "Seal", "SealLeaf", "PointValue"}
FACTS_OF_AN_ACCOUNT = {"entries", "lots", "allocations", "extensions", "notices"}
WRITES = {"create", "bulk_create", "acreate", "update", "bulk_update", "update_or_create", "get_or_create", "delete"}
ROW = re.compile(r"(^|_)(entry|lot|allocation|extension|notice|account)$")
RAW_SQL = re.compile(
    r"\b(insert\s+into|update|delete\s+from|truncate(\s+table)?)\s+(only\s+)?\"?ledger_", re.IGNORECASE
)
MAY_WRITE = {
    "ledger/writing.py",
    "ledger/single_entry.py",
    "ledger/correcting.py",
    "ledger/accounts.py",
    "ledger/seals.py",
}
# Benchmarks copy by the million what acts wrote once; a peer opens accounts, which are none of ours.
MAY_WRITE |= {"benchmarks/load.py", "benchmarks/peer.py"}
# They show that it is refused, or found.
MAY_TRY_TO = {
    "tests/ledger/insiders.py",
    "tests/ledger/management/test_audit.py",
    "tests/ledger/management/test_rebuild_projections.py",
    "tests/ledger/test_admin_verdict.py",
    "tests/ledger/test_audit.py",
    "tests/ledger/test_audit_insiders.py",
    "tests/ledger/test_continuing.py",
    "tests/ledger/test_facts.py",
    "tests/ledger/test_facts_of_all_kinds.py",
    "tests/ledger/test_projections.py",
    "tests/ledger/test_seals.py",
    "tests/ledger/test_verdicts.py",
}


def facts_are_written_by_the_pen_alone(root: Path) -> Iterator[Offence]:
    instead = "Call an act; only `ledger/posting.py` writes, through `ledger/writing.py` (`accounts.py` opens accounts)"
    for source in sources(root, *OURS):
        if source.path in MAY_WRITE | MAY_TRY_TO or source.path in ("tests/test_house.py", "tests/house.py"):
            continue
        for call, names in source.calls():
            chain = set(names[:-1])
            managers = "objects" in chain and chain & FACTS
            related = chain & FACTS_OF_AN_ACCOUNT and names[0] not in FACTS_OF_AN_ACCOUNT
            if names and names[-1] in WRITES and (managers or related):
                yield Offence(source.path, call.lineno, f"it writes facts: {'.'.join(names)}", instead)
            if len(names) > 1 and names[-1] in ("save", "delete") and ROW.search(names[-2]):
                yield Offence(source.path, call.lineno, f"it writes facts: {'.'.join(names)}", instead)
        for text in source.nodes(ast.Constant):
            if isinstance(text.value, str) and RAW_SQL.search(text.value):
                yield Offence(source.path, text.lineno, "it writes facts in SQL", instead)


# --- No hidden effects


def nothing_is_published_to_the_broker(root: Path) -> Iterator[Offence]:
    instead = "Write a row that the next tick finds; the clock in `config/celery.py` wakes the workers"
    for source in sources(root, *(folder for folder in OURS if folder != "tests")):
        for call, names in source.calls():
            if len(names) > 1 and names[-1] in ("delay", "apply_async", "send_task"):
                yield Offence(source.path, call.lineno, f"it sends a task: {'.'.join(names)}", instead)


def there_are_no_signals_and_no_save_overrides(root: Path) -> Iterator[Offence]:
    instead = "Do it in the act that causes it: every effect is found by reading down"
    for source in sources(root, *OURS):
        for node in source.nodes(ast.Import, ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(name.name for name in node.names)]
            if any(
                re.search(r"^(django\.dispatch|django\.db\.models\.signals|\w+\.signals\.receiver)\b", n) for n in names
            ):
                yield Offence(source.path, node.lineno, "it uses signals", instead)
            if getattr(node, "module", "") == "django.db.models" and "signals" in names:
                yield Offence(source.path, node.lineno, "it uses signals", instead)
        for function in source.nodes(ast.FunctionDef):
            if any(_names(decorator)[-1:] == ["receiver"] for decorator in function.decorator_list):
                yield Offence(source.path, function.lineno, "it receives a signal", instead)
        for kind in source.nodes(ast.ClassDef):
            for function in kind.body:
                if isinstance(function, ast.FunctionDef) and function.name == "save":
                    yield Offence(source.path, function.lineno, f"{kind.name} overrides save()", instead)


# --- Sizes and names


def files_and_functions_fit_the_head(root: Path) -> Iterator[Offence]:
    for source in sources(root, *OURS):
        is_test = source.parts[0] == "tests"
        lines, most = source.text.count("\n"), LONGEST_TEST_FILE if is_test else LONGEST_FILE
        if lines > most:
            instead = "Split it where what happens in it changes, and name each part for that"
            yield Offence(source.path, most + 1, f"it has {lines} lines, at most {most} are read", instead)
        most = LONGEST_TEST_FUNCTION if is_test else LONGEST_FUNCTION
        for function in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > most:
                what = f"{function.name}() has {lines} lines, at most {most} are read"
                yield Offence(source.path, function.lineno, what, "Give a part of it a name of its own")


VAGUE = {"services", "utils", "helpers", "core", "common"}


def no_room_is_named_for_nothing(root: Path) -> Iterator[Offence]:
    instead = "Name a module for what happens in it"
    for source in sources(root, *OURS):
        if source.parts[0] == "devstack" and source.path == "devstack/services.py":
            continue  # there a service is a thing: a server that the stack starts
        vague = VAGUE & {part.removesuffix(".py") for part in source.parts}
        if vague:
            yield Offence(source.path, 1, f"a room named {vague.pop()}", instead)


# --- Mirrors

NEED_NO_MIRROR = {
    "apps.py": "names an app",
    "urls.py": "names pages, which the tests of the views open",
    "wsgi.py": "is Django's own",
    "models": "declares tables: what they refuse is in test_facts.py, what they hold in every test of an act",
}
MIRRORED_IN = {
    "ledger/columns.py": "tests/ledger/test_single_entry.py",
    "ledger/retelling.py": "tests/ledger/test_audit.py",  # the auditor's pure half
    "ledger/rows.py": "tests/ledger/test_audit.py",
    "ledger/checking.py": "tests/ledger/test_audit_insiders.py",
    "ledger/checking_points.py": "tests/ledger/test_audit_insiders.py",
    "ledger/checking_dates.py": "tests/ledger/test_audit_insiders.py",
    "ledger/kept.py": "tests/ledger/test_continuing.py",
    "ledger/rewinding.py": "tests/ledger/test_continuing.py",
    "ledger/rereading.py": "tests/ledger/test_continuing.py",
    "ledger/correcting.py": "tests/ledger/test_projections.py",
    "ledger/replays.py": "tests/ledger/management/test_replay.py",
    "ledger/moving.py": "tests/ledger/test_extensions.py",
    "ledger/reports.py": "tests/ledger/management/test_replay.py",
    "portal/templatetags/points.py": "tests/portal/test_views.py",
}


def every_module_has_a_mirror(root: Path) -> Iterator[Offence]:
    """`app/module.py` has `tests/app/test_module*.py`; `app/room/` has `tests/app/room/` or `test_room*.py`."""
    for source in sources(root, *APPS, "config"):
        app, *rooms, name = source.parts
        if name == "__init__.py" or NEED_NO_MIRROR.keys() & {name, *rooms}:
            continue
        folder = root / "tests" / app
        looked_for = [(folder, f"test_{rooms[0]}*.py"), (folder / rooms[0], "test_*.py")] if rooms else []
        looked_for.append((folder.joinpath(*rooms), f"test_{name.removesuffix('.py')}*.py"))
        elsewhere = MIRRORED_IN.get(source.path)
        if elsewhere and (root / elsewhere).exists():
            continue
        if not any(any(where.glob(pattern)) for where, pattern in looked_for):
            where, pattern = looked_for[-1]
            mirror = f"{where.relative_to(root).as_posix()}/{pattern.replace('*', '')}"
            yield Offence(source.path, 1, "no test mirrors it", f"Write {mirror}, or say in MIRRORED_IN where it is")


# --- The schedule


def the_schedule_and_the_tasks_are_the_same(root: Path) -> Iterator[Offence]:
    path = root / "config" / "celery.py"
    tasks = {
        f"{source.path.removesuffix('.py').replace('/', '.')}.{function.name}": (source.path, function.lineno)
        for source in sources(root, *APPS)
        for function in source.nodes(ast.FunctionDef)
        if any(_names(decorator)[-1:] == ["shared_task"] for decorator in function.decorator_list)
    }
    scheduled = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and _names(node.targets[0]) == ["CLOCK"] and isinstance(node.value, ast.Dict):
            for value in node.value.values:
                assert isinstance(value, ast.Tuple)
                name = ast.literal_eval(value.elts[0])
                scheduled[name] = value.lineno
    for name, line in scheduled.items():
        if name not in tasks:
            yield Offence("config/celery.py", line, f"{name} is no task", "Name a function with @shared_task")
    for name, (where, line) in tasks.items():
        if name not in scheduled:
            yield Offence(where, line, f"nothing wakes {name}", "Give it a line in CLOCK of config/celery.py")


# --- Words

TEXTS = {".py", ".md", ".toml", ".sh", ".sql", ".html", ".css", ".js", ".po", ".txt", ".lock", ".yml", ".yaml", ""}
MACHINE = re.compile(r"(?<![\w./:%-])/(?:home|Users|work|root|mnt|Volumes|private)/\w|(?<!\w)[A-Z]:\\\\?Users")


def nothing_names_a_path_of_one_machine(root: Path) -> Iterator[Offence]:
    instead = "Name it from the project's root, or take it from the environment"
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if NOT_OURS & set(parts) or path.suffix not in TEXTS or not path.is_file() or ".egg-info" in str(path):
            continue
        if any(part.startswith(".") and part not in (".ci", ".gitignore") for part in parts):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if MACHINE.search(line) and "tests/house.py" not in path.as_posix() and path.name != "test_house.py":
                yield Offence("/".join(parts), number, "a path of one machine", instead)


CHECKS: list[Check] = [
    the_clock_is_read_at_the_edges,
    facts_are_written_by_the_pen_alone,
    nothing_is_published_to_the_broker,
    there_are_no_signals_and_no_save_overrides,
    files_and_functions_fit_the_head,
    no_room_is_named_for_nothing,
    every_module_has_a_mirror,
    the_schedule_and_the_tasks_are_the_same,
    nothing_names_a_path_of_one_machine,
]


def errors_without_an_answer(root: type[Exception], status: dict) -> list[str]:
    """The kinds of error below `root` that no entry of `status` covers; the root itself is never raised."""
    found, open_ends = [], root.__subclasses__()
    while open_ends:
        kind = open_ends.pop()
        open_ends += kind.__subclasses__()
        if not any(parent in status for parent in kind.__mro__):
            found.append(
                f"{kind.__module__}.{kind.__name__} has no HTTP status: give it one in STATUS of config/api.py"
            )
    return sorted(found)
