"""The habits of the house. Each failure names the place and says what is done instead.

Every check is also tried on a small project with one offence planted, so that none of them is asleep.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from config.api import STATUS
from ledger.errors import LedgerError
from tests import house
from tests.house import CHECKS, Check, errors_without_an_answer

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_this_house(check: Check):
    offences = sorted(check(ROOT))
    assert not offences, "\n" + "\n".join(str(offence) for offence in offences)


def test_every_error_of_an_app_with_an_api_has_an_http_status():
    assert errors_without_an_answer(LedgerError, STATUS) == []
    with_api = {folder.parent.name for app in house.APPS for folder in (ROOT / app).glob("api*") if folder.exists()}
    # The one view of alerts' API answers what `webhooks.receive` raises: test_hooks.py has each.
    assert with_api <= {"ledger", "portal", "alerts"}, "An app has got an API: check its errors here, too"


def test_an_error_without_an_http_status_is_found():
    class Planted(Exception):
        """Stands for the root of a tree."""

    class Covered(Planted):
        """Has a status."""

    class CoveredToo(Covered):
        """Has that of the kind above it."""

    class Forgotten(Planted):
        """Has none."""

    assert issubclass(CoveredToo, Covered)
    (found,) = errors_without_an_answer(Planted, {Covered: 400})
    assert found == f"{__name__}.{Forgotten.__name__} has no HTTP status: give it one in STATUS of config/api.py"


def a_house(root: Path, files: dict[str, str]) -> Path:
    """A small project in which nothing is wrong, and these files."""
    good = {
        "config/celery.py": 'CLOCK = {"sweep": ("ledger.tasks.sweep", 60)}\n',
        "tests/config/test_celery.py": "",
        "ledger/tasks.py": "@shared_task\ndef sweep() -> None:\n    expiry.sweep(now=timezone.now())\n",
        "tests/ledger/test_tasks.py": "",
        "ledger/expiry.py": "def sweep(*, now):\n    return Lot.objects.filter(expires_at__lte=now)\n",
        "tests/ledger/test_expiry.py": "",
    }
    for path, text in (good | files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def offences_in(root: Path) -> list[tuple[str, str, int]]:
    return [(check.__name__, found.path, found.line) for check in CHECKS for found in check(root)]


def test_nothing_is_found_in_a_house_in_order(tmp_path):
    in_order = {
        "ledger/admin/lots.py": "now = timezone.now()\n",
        "tests/ledger/test_admin.py": "def test_it():\n    grant(minji, 100)\n",
        "ledger/api/views.py": "now = timezone.now()\n",
        "tests/ledger/api/test_views.py": "some_task.delay()\n",
        "ledger/management/commands/sweep.py": "now = datetime.now(UTC)\n",
        "tests/ledger/management/test_sweep.py": "",
        "ledger/models/lot.py": "class Lot(models.Model):\n    pass\n",
        "ledger/writing.py": 'SQL = "INSERT INTO ledger_entry VALUES (1)"\n',
        "tests/ledger/test_writing.py": "",
        "ledger/waiting.py": "started = time.monotonic()\nnow = book.at\nlots = Lot.objects.filter(open=True)\n",
        "tests/ledger/test_waiting.py": "",
        "ledger/migrations/0001_start.py": "now = timezone.now()\n",
        "alerts/addresses/contacts.py": "Contact.objects.filter(pk=1).update(email=email)\nseen.update(lots)\n",
        "tests/alerts/addresses/test_contacts.py": "",
        "docs/architecture.md": "`/admin/` and `ledger/posting.py`; https://example.org/home/page\n",
    }
    assert offences_in(a_house(tmp_path, in_order)) == []


LONG_FUNCTION = "def f():\n" + "    pass\n" * 60
LONG_TEST = "def test_f():\n" + "    pass\n" * 80

PLANTED = [
    ("the_clock_is_read_at_the_edges", "ledger/expiry.py", "\nat = timezone.now()\n", 2),
    ("the_clock_is_read_at_the_edges", "ledger/expiry.py", "at = datetime.now(UTC)\n", 1),
    ("the_clock_is_read_at_the_edges", "ledger/expiry.py", "at = datetime.datetime.utcnow()\n", 1),
    ("the_clock_is_read_at_the_edges", "ledger/expiry.py", "at = time.time()\n", 1),
    ("the_clock_is_read_at_the_edges", "ledger/expiry.py", "f = field(default_factory=timezone.now)\n", 1),
    ("the_clock_is_read_at_the_edges", "ledger/expiry.py", "from django.utils.timezone import now\n", 1),
    ("the_clock_is_read_at_the_edges", "config/celery.py", "CLOCK = {}\nday = date.today()\n", 2),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "\n\nEntry.objects.create(amount=1)\n", 3),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "Lot.objects.filter(pk=1).update(remaining=0)\n", 1),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "models.Lot.objects.bulk_create([])\n", 1),
    (
        "facts_are_written_by_the_pen_alone",
        "ledger/expiry.py",
        "account.lots.filter(pk=1).update(open=False)\n",
        1,
    ),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "Notice.objects.all().delete()\n", 1),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "lot.save()\n", 1),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "self.account.save(update_fields=['balance'])\n", 1),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", "new_entry.delete()\n", 1),
    ("facts_are_written_by_the_pen_alone", "alerts/x.py", 'SQL = """\n  UPDATE ledger_lot SET remaining = 0"""\n', 1),
    ("facts_are_written_by_the_pen_alone", "ledger/expiry.py", 'SQL = f"insert into ledger_entry {x}"\n', 1),
    ("facts_are_written_by_the_pen_alone", "tests/ledger/test_x.py", "Lot.objects.create(remaining=5)\n", 1),
    ("nothing_is_published_to_the_broker", "ledger/expiry.py", "sweep.delay()\n", 1),
    ("nothing_is_published_to_the_broker", "demo/story.py", "tasks.sweep.apply_async(countdown=5)\n", 1),
    ("nothing_is_published_to_the_broker", "ledger/expiry.py", 'app.send_task("x")\n', 1),
    ("there_are_no_signals_and_no_save_overrides", "ledger/expiry.py", "from django.dispatch import receiver\n", 1),
    ("there_are_no_signals_and_no_save_overrides", "ledger/expiry.py", "from django.db.models.signals import x\n", 1),
    ("there_are_no_signals_and_no_save_overrides", "ledger/expiry.py", "from django.db.models import signals\n", 1),
    ("there_are_no_signals_and_no_save_overrides", "ledger/expiry.py", "import django.dispatch\n", 1),
    ("there_are_no_signals_and_no_save_overrides", "ledger/expiry.py", "@receiver(x)\ndef f(**k):\n    pass\n", 2),
    (
        "there_are_no_signals_and_no_save_overrides",
        "ledger/models/lot.py",
        "class Lot:\n    def save(self):\n        pass\n",
        2,
    ),
    ("files_and_functions_fit_the_head", "ledger/expiry.py", "\n" * 301, 301),
    ("files_and_functions_fit_the_head", "ledger/expiry.py", f"\n{LONG_FUNCTION}", 2),
    ("files_and_functions_fit_the_head", "tests/ledger/test_expiry.py", "\n" * 501, 501),
    ("files_and_functions_fit_the_head", "tests/ledger/test_expiry.py", LONG_TEST, 1),
    ("every_module_has_a_mirror", "ledger/grants.py", "", 1),
    ("every_module_has_a_mirror", "config/errors.py", "", 1),
    ("every_module_has_a_mirror", "ledger/management/commands/audit.py", "", 1),
    ("the_schedule_and_the_tasks_are_the_same", "config/celery.py", 'CLOCK = {\n"plan": ("ledger.tasks.x", 1)}\n', 2),
    ("the_schedule_and_the_tasks_are_the_same", "ledger/tasks.py", "@shared_task\ndef lost() -> None: ...\n", 2),
    ("no_room_is_named_for_nothing", "demo/utils.py", "", 1),
    ("no_room_is_named_for_nothing", "demo/helpers/story.py", "", 1),
    ("nothing_names_a_path_of_one_machine", "docs/x.md", "Look at\n/home/minji/points\n", 2),
    ("nothing_names_a_path_of_one_machine", "demo/story.py", 'FEED = "/work/feed.csv"\n', 1),
]


@pytest.mark.parametrize(("check", "path", "text", "line"), PLANTED)
def test_a_planted_offence_is_found_where_it_stands(tmp_path, check, path, text, line):
    assert (check, path, line) in offences_in(a_house(tmp_path, {path: text}))


def test_every_check_has_an_offence_planted_for_it():
    assert {check for check, *_ in PLANTED} == {check.__name__ for check in CHECKS}


def test_a_failure_says_where_it_stands_and_what_is_done_instead(tmp_path):
    root = a_house(tmp_path, {"ledger/expiry.py": "\nat = timezone.now()\n"})
    (found,) = house.the_clock_is_read_at_the_edges(root)
    assert str(found) == (
        "ledger/expiry.py:2: it reads the clock: timezone.now. "
        "Take `now` as a keyword argument; only admin, api, tasks, commands, checks and views read the clock"
    )


@pytest.mark.parametrize("stands_in", sorted(house.MIRRORED_IN.items()))
def test_what_is_said_to_be_tested_elsewhere_is_there(stands_in):
    module, test = stands_in
    assert (ROOT / module).exists(), f"{module} is gone: take it out of MIRRORED_IN"
    assert (ROOT / test).exists(), f"{test} is gone: {module} has no mirror any more"
