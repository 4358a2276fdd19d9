"""What this machine has to give."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def kernel_threads(executors: int, staged: bool) -> int:
    """Threads of Polars in an executor: all cores where one task has a whole query, a fair share
    where the tasks of a stage run side by side."""
    return max(1, cores() // max(1, executors)) if staged else cores()


def share_of_memory(executors: int) -> int:
    """An executor's budget in bytes by default: its part of six tenths of what is free now."""
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":", 1) for line in file)
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):  # not Linux
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return max(64 << 20, free * 6 // 10 // executors)
