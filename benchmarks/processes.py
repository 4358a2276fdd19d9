"""What /proc (Linux) tells of processes and their memory."""

from __future__ import annotations

import os
import time

_TICKS = os.sysconf("SC_CLK_TCK")


def status(pid: int | str) -> dict[str, int]:
    """The memory lines of a process's status in bytes; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            lines = [line.split() for line in file if line.endswith("kB\n")]
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines}


def shared_files() -> int:
    """Bytes of the machine's memory-backed files."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Shmem:"))


def descendants(root: int) -> set[int]:
    """The processes that `root` started, and those that they started."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    new = [root]
    while new:
        new = [child for parent in new for child in children.get(parent, ()) if child not in found]
        found.update(new)
    return found


def peak(root: int) -> int:
    """Peak resident bytes of a process and of all that it started, added up: at most this much was
    resident at any time, as their peaks need not coincide and shared pages count more than once."""
    return sum(status(pid).get("VmHWM", 0) for pid in (root, *descendants(root)))


def computed(root: int) -> float:
    """Seconds that a process and all that it started have computed so far."""
    ticks = 0
    for pid in (root, *descendants(root)):
        try:
            with open(f"/proc/{pid}/stat") as file:
                ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return ticks / _TICKS


def settle(roots: list[int], limit: float = 10.0) -> None:
    """Wait until these processes do little: what one has begun beside its answer (compiling,
    collecting garbage) shall not be in the time of the next."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = sum(map(computed, roots))
        time.sleep(0.1)
        if sum(map(computed, roots)) - before < 0.03:
            return
