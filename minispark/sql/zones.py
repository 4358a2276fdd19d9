"""The time zone of this machine, by name: what sessions use where nothing was said."""

from __future__ import annotations

import functools
import os
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def local_zone() -> str:
    """The name of the zone that the process's clock shows; UTC where it has none.

    >>> local_zone() in ("", None)
    False
    """
    return _found(os.environ.get("TZ"))


@functools.lru_cache(maxsize=8)
def _found(named: str | None) -> str:
    for name in (named, _linked()):
        if name and not name.startswith(":") and _is_zone(name):
            return name
    return "UTC"


def _linked() -> str | None:
    """What /etc/localtime is a link to, or /etc/timezone says."""
    path = os.path.realpath("/etc/localtime")
    if "zoneinfo/" in path:
        return path.split("zoneinfo/", 1)[1]
    try:
        with open("/etc/timezone") as file:
            return file.read().strip()
    except OSError:
        return None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
