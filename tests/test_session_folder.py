"""Folders of a session: gone with its driver, and never while it lives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from executors.session_folder import LOCK, SessionFolder, remove_if_dead, sweep

HOLDS = """
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_lives_as_long_as_its_session(tmp_path: Path) -> None:
    folder = SessionFolder(str(tmp_path))
    assert not remove_if_dead(folder.path)
    sweep(str(tmp_path))
    assert os.listdir(tmp_path) == [os.path.basename(folder.path)]
    folder.close()
    assert os.listdir(tmp_path) == []


def test_a_dead_session_is_swept(tmp_path: Path) -> None:
    dead = tmp_path / f"minispark-{os.getuid()}-dead"
    dead.mkdir()
    (dead / LOCK).touch()
    (dead / "block").write_bytes(b"kept")
    being_made = tmp_path / f"minispark-{os.getuid()}-young"
    being_made.mkdir()
    (tmp_path / "of somebody else").mkdir()
    sweep(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == [being_made.name, "of somebody else"]


def test_a_driver_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    """It is known to end before it has let go of its lock."""
    folder = tmp_path / "session"
    folder.mkdir()
    lock = folder / LOCK
    lock.touch()
    driver = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert driver.stdout is not None and driver.stdout.readline() == "held\n"
    assert not remove_if_dead(str(folder))
    removed: list[bool] = []
    worker = threading.Thread(
        target=lambda: removed.append(remove_if_dead(str(folder), dying=True))
    )
    worker.start()
    worker.join(0.2)
    assert worker.is_alive() and folder.is_dir()
    driver.communicate()
    worker.join(10)
    assert removed == [True] and os.listdir(tmp_path) == []


def test_two_workers_remove_one_folder(tmp_path: Path) -> None:
    for turn in range(50):
        folder = tmp_path / str(turn)
        folder.mkdir()
        (folder / LOCK).touch()
        removed: list[bool] = []

        def remove(path: str = str(folder), removed: list[bool] = removed) -> None:
            removed.append(remove_if_dead(path, dying=True))

        both = [threading.Thread(target=remove) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(removed) == [False, True]
    assert os.listdir(tmp_path) == []
