"""Exceptions of tasks, shown as if the code had run here: without the engine's frames."""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from executors.user_errors import RemoteTraceback
from planner.site import is_engine_file

FULL_TRACEBACK = "MINISPARK_FULL_TRACEBACK"  # set this variable to see the engine's frames too


def came_from_task(error: BaseException) -> bool:
    """Whether user code raised it in a task: how the engine has carried it here is no news then."""
    return isinstance(error.__cause__, RemoteTraceback) and not os.environ.get(FULL_TRACEBACK)


def users_frames(error: BaseException) -> types.TracebackType | None:
    """The traceback of an error without the engine's frames."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        if not is_engine_file(trace.tb_frame.f_code.co_filename):
            frames.append(trace)
        trace = trace.tb_next
    kept: types.TracebackType | None = None
    for trace in reversed(frames):
        kept = types.TracebackType(kept, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
    return kept


def quiet_script() -> None:
    """Where an exception ends a program, show what a task raised without the engine's frames.

    Does nothing where the user has a sys.excepthook of their own.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _end_of_script


def _end_of_script(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if came_from_task(error):
        trace = users_frames(error)
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def quiet_notebook() -> None:
    """In IPython and notebooks, show what a task raised without the engine's frames.

    Does nothing elsewhere, or where the user has a handler of their own.
    """
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((Exception,), _show)


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, trace: Any, **how: Any
) -> None:
    """What IPython calls instead of its own way to show an exception."""
    if came_from_task(error):
        trace = users_frames(error)
    shell.showtraceback((kind, error.with_traceback(trace), trace), **how)
