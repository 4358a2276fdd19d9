"""User exceptions across processes: caught in a worker, raised again on the driver.

What the user sees is the exception's own type, the traceback of their own functions, and which
transformation of which line it was.
"""

from __future__ import annotations

import pickle
import traceback
from types import TracebackType
from typing import Any

from executors import pickling
from planner.failures import UserFailure
from planner.program import Apply, Program, Together
from planner.site import is_engine_file


class TaskExit(RuntimeError):
    """A task asked its process to end (sys.exit, KeyboardInterrupt)."""


class RemoteTraceback(Exception):
    """The traceback of a task's exception, as text; shown as the cause on the driver."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return "\n" + self.text


def describe(error: BaseException, program: Program, partition: int, where: str) -> UserFailure:
    """The failure to send for an exception that user code raised."""
    if isinstance(error, SystemExit):
        error = TaskExit(f"a task called sys.exit({error.code!r}); a task ends by returning")
    elif not isinstance(error, Exception):
        error = TaskExit(f"a task raised {type(error).__name__}: {error}")
    site = _site(error, program)
    text = user_traceback(error)
    message = f"{type(error).__name__}: {error} (partition {partition} of {where}{site})"
    return UserFailure(message, _pickled(error), text, f"partition {partition} of {where}{site}")


def raise_again(failure: UserFailure) -> BaseException:
    """The exception to raise on the driver."""
    try:
        error = pickle.loads(failure.error)
    except Exception as reason:  # the user's class may do anything when it is unpickled
        error = RuntimeError(f"{failure.message} (the exception cannot be unpickled: {reason})")
    error.__cause__ = RemoteTraceback(failure.traceback)
    error.add_note(f"in {failure.site}")
    assert isinstance(error, BaseException)
    return error


def user_traceback(error: BaseException) -> str:
    """The traceback without the engine's own frames."""
    lines = ["Traceback (most recent call last, in the task):\n"]
    frames = traceback.extract_tb(error.__traceback__)
    lines += traceback.format_list([f for f in frames if not is_engine_file(f.filename)])
    lines += traceback.format_exception_only(error)
    if error.__cause__ is not None and not isinstance(error.__cause__, RemoteTraceback):
        lines.insert(0, user_traceback(error.__cause__) + "\nwhich led to:\n")
    return "".join(lines).rstrip()


def _pickled(error: BaseException) -> bytes:
    """The exception as bytes; one that cannot travel goes as a RuntimeError that tells of it."""
    cause, error.__cause__ = error.__cause__, None
    try:
        data = pickling.dumps(error)
        pickle.loads(data)
        return data
    except Exception:  # the user's __reduce__ may raise anything
        return pickling.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    finally:
        error.__cause__ = cause


def _site(error: BaseException, program: Program) -> str:
    """The transformation whose function stands in the traceback."""
    codes: dict[Any, str] = {}
    for step in program:
        if isinstance(step, Apply):
            pairs = list(zip(step.ops, step.sites, strict=True))
        elif isinstance(step, Together):
            pairs = [(step.op, step.site)]
        else:
            continue
        for op, site in pairs:
            for code in _codes(op, 0):
                codes[code] = str(site)
    found = ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        found = codes.get(trace.tb_frame.f_code, found)
        trace = trace.tb_next
    return f", {found}" if found else ""


def _codes(value: Any, depth: int) -> list[Any]:
    """Code objects of the functions that an op carries, and of those they wrap."""
    code = getattr(value, "__code__", None)
    if code is not None:
        cells = getattr(value, "__closure__", None) or ()
        inner = [c.cell_contents for c in cells if callable(_content(c))]
        return [code, *(each for f in inner if depth < 4 for each in _codes(f, depth + 1))]
    if depth >= 4:
        return []
    fields = getattr(value, "__dict__", None)
    values = list(fields.values()) if isinstance(fields, dict) else []
    values += [
        getattr(value, n) for n in getattr(type(value), "__slots__", ()) if hasattr(value, n)
    ]
    return [code for each in values if callable(each) for code in _codes(each, depth + 1)]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None
