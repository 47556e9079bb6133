"""The folders of a stack: who holds them, and what is cleared away."""

import os
import subprocess
import sys

import pytest

from devstack.errors import AlreadyRunning, Refused
from devstack.home import Home, own_folder, sweep


def test_a_home_is_held_by_one_at_a_time(place):
    home = Home(place / "home")
    with pytest.raises(AlreadyRunning, match="already running"):
        Home(place / "home")
    home.close()
    Home(place / "home").close()


def test_the_refusal_says_where_the_other_one_answers(place):
    home = Home(place / "home")
    home.address.write_text("http://127.0.0.1:8000/")
    with pytest.raises(AlreadyRunning, match=r"already running at http://127\.0\.0\.1:8000/"):
        Home(place / "home", keep_waiting=lambda: True)
    home.close()


def test_one_that_has_no_address_yet_is_waited_for(place):
    home = Home(place / "home")
    asked = []

    def keep_waiting() -> bool:
        asked.append(True)
        home.close()
        return True

    Home(place / "home", keep_waiting=keep_waiting).close()
    assert asked == [True]


def test_closing_twice_leaves_the_next_holder_alone(place):
    home = Home(place / "home")
    home.close()
    following = Home(place / "home")
    following.address.write_text("http://127.0.0.1:8001/")
    home.close()
    assert following.address.exists()
    following.close()


def test_the_sockets_have_a_short_path_and_a_folder_of_their_own(place):
    deep = place / ("long" * 50)
    home = Home(deep)
    assert len(str(home.sockets / "pg" / ".s.PGSQL.5432")) < 107
    assert home.sockets.stat().st_mode & 0o077 in (0, 0o011)
    home.remove()
    home.close()
    assert not home.sockets.exists()
    assert not deep.exists()


def test_a_home_made_again_has_other_folders_than_its_predecessor(place):
    first = Home(place / "home")
    first.remove()
    first.close()
    second = Home(place / "home")
    assert second.outside != first.outside
    second.remove()
    second.close()


def test_a_folder_that_is_a_link_to_somewhere_else_is_refused(place):
    (place / "trap").symlink_to(place)
    with pytest.raises(Refused, match="belongs to somebody else"):
        own_folder(place / "trap")


def test_a_strict_umask_does_not_change_the_modes(place):
    before = os.umask(0o777)
    try:
        folder = own_folder(place / "folder")
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o700 == 0o700


def test_a_throwaway_home_is_removed_when_it_is_closed():
    home = Home.fresh()
    assert home.folder.exists()
    home.close()
    assert not home.folder.exists()
    assert not home.sockets.exists()


def test_a_throwaway_home_of_a_killed_process_is_swept_and_a_held_one_is_not():
    held = Home.fresh()
    script = (
        "import os; from devstack.home import Home; home = Home.fresh()\n"
        "print(home.folder); print(home.sockets, flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    folder, sockets = killed.stdout.splitlines()
    sweep()
    assert not os.path.exists(folder)
    assert not os.path.exists(sockets)
    assert held.folder.exists()
    assert held.sockets.exists()
    held.close()


def test_what_a_home_that_was_deleted_by_hand_has_left_is_swept(place):
    home = Home(place / "home")
    outside = home.make_outside()
    (outside / "postgres-18").mkdir()
    sweep()
    assert home.sockets.exists()
    assert outside.exists()
    (place / "home").rename(place / "elsewhere")
    sweep()
    assert not home.sockets.exists()
    assert not outside.exists()
    home.close()


def test_the_sockets_go_when_a_home_is_closed_and_its_data_stay(place):
    home = Home(place / "home")
    home.close()
    assert not home.sockets.exists()
    assert home.folder.exists()


def test_an_empty_folder_outside_goes_when_a_home_is_closed_and_one_with_data_stays(place):
    home = Home(place / "home")
    outside = home.make_outside()
    home.close()
    assert not outside.exists()
    home = Home(place / "home")
    (home.make_outside() / "postgres-18").mkdir()
    home.close()
    assert outside.exists()
    home = Home(place / "home")
    home.remove()
    home.close()
    assert not outside.exists()
