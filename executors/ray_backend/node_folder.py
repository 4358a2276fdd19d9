"""Folders that the actors of one session share on one node: one in memory, one on disk.

Every actor holds a shared lock on a file in the folder. A folder that nobody locks is dead, and the
next start of anything of ours on that node removes it (`executors/session_folder.py`). Files thus
outlive the actor that wrote them as long as another one of the node is there.
"""

from __future__ import annotations

import fcntl
import os

from executors.session_folder import LOCK, PREFIX, remove_if_dead, sweep


class NodeFolder:
    """The folder of `session` on `node` below `root`, made by whichever actor comes first."""

    def __init__(self, root: str, session: str, node: str) -> None:
        self.path = os.path.join(root, f"{PREFIX}{os.getuid()}-{session}-{node[:16]}")
        self._lock = self._join()
        sweep(root)

    def _join(self) -> int:
        while True:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            name = os.path.join(self.path, LOCK)
            try:
                lock = os.open(name, os.O_CREAT | os.O_RDWR, 0o600)
            except FileNotFoundError:
                continue  # swept between the two lines above
            fcntl.flock(lock, fcntl.LOCK_SH)
            try:
                if os.stat(name).st_ino == os.fstat(lock).st_ino:
                    return lock
            except FileNotFoundError:
                pass  # swept while we waited for the lock
            os.close(lock)

    def close(self) -> None:
        """Leave; the last one to leave removes the folder."""
        os.close(self._lock)
        remove_if_dead(self.path)
