"""Where in the user's program a plan node was asked for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

_OURS = tuple(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep + package + os.sep
    for package in ("planner", "executors", "minispark")
)


@dataclass(frozen=True)
class Site:
    """The user's line that asked for a node: `method` was called at `file`:`line`."""

    method: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.method} at {short_file(self.file)}:{self.line}"


NOWHERE = Site("internal", "", 0)


def is_engine_file(file: str) -> bool:
    """Whether `file` belongs to the engine rather than to the user."""
    return file.startswith(_OURS)


def short_file(file: str) -> str:
    """A file name as a user says it: a notebook cell is called so, a path loses its folders."""
    if "ipykernel_" in file or file.startswith("<ipython"):
        return "<notebook cell>"
    return os.path.basename(file) or file


def call_site(method: str | None = None) -> Site:
    """The nearest caller outside the engine, and the engine method it called.

    `method` overrides the name of the outermost engine function on the way.
    """
    frame = sys._getframe(1)
    name = method or frame.f_code.co_name
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_OURS):
            return Site(name, file, frame.f_lineno)
        if method is None:
            name = frame.f_code.co_name
        back = frame.f_back
        if back is None:
            break
        frame = back
    return Site(name, "", 0)
