"""Folders of a session: one in memory, one on disk, removed whoever dies first.

The driver holds a lock on a file in the folder for as long as it lives. A folder whose lock is free
belongs to a dead session, and the next start (or the session's last worker) removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time

PREFIX = "minispark-"
LOCK = "lock"
_YOUNG = 60.0  # seconds in which a folder without a lock file may be one that is just being made


class SessionFolder:
    """A private folder below `root`, which is made where needed, while this process lives.

    Raises
    ------
    OSError
        No folder can be made there.
    """

    def __init__(self, root: str) -> None:
        try:
            os.makedirs(root, exist_ok=True)
            sweep(root)
            self.path = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getuid()}-", dir=root)
        except OSError as error:
            why = f"no folder for this session can be made (spark.local.dir): {error.strerror}"
            raise OSError(error.errno, why, root) from error
        lock = os.path.join(self.path, LOCK)
        self._lock = os.open(f"{lock}.new", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(f"{lock}.new", lock)  # not there before it is held, or a sweep would remove us

    def close(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def memory_root() -> str:
    """A folder whose files are in memory, or the temporary folder where there is none of use."""
    root = "/dev/shm"
    if os.path.isdir(root) and os.access(root, os.W_OK):
        space = os.statvfs(root)
        if space.f_bavail * space.f_frsize >= 256 << 20:
            return root
    return tempfile.gettempdir()


def remove_if_dead(path: str, dying: bool = False) -> bool:
    """Remove a session's folder if no driver holds its lock.

    With `dying`, whoever holds it is about to end, and is waited for: a process that is killed
    closes its files one after the other, and others learn of its end from the first.
    """
    try:
        lock = os.open(os.path.join(path, LOCK), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if dying else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    else:
        gone = f"{path}.{os.getpid()}.gone"
        try:
            os.rename(path, gone)  # a worker that still writes finds no folder, and leaves no file
        except FileNotFoundError:
            return False  # another one was quicker
        shutil.rmtree(gone, ignore_errors=True)
        return True
    finally:
        os.close(lock)


def sweep(root: str) -> None:
    """Remove what dead sessions of this user left below `root`."""
    for entry in os.scandir(root):
        if not entry.name.startswith(f"{PREFIX}{os.getuid()}-"):
            continue
        try:
            if os.path.exists(os.path.join(entry.path, LOCK)):
                remove_if_dead(entry.path)
            elif time.time() - entry.stat().st_mtime > _YOUNG:
                shutil.rmtree(entry.path, ignore_errors=True)
        except OSError:
            continue  # another process sweeps it at this moment, or it is not ours
