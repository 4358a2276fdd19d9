"""User exceptions across processes: caught in a worker, raised again on the driver.

What the user sees is the exception's own type, the traceback of their own functions, and which
transformation of which line it was.
"""

from __future__ import annotations

import collections
import functools
import os
import traceback
from inspect import CO_GENERATOR
from types import CodeType, TracebackType
from typing import Any

from executors import exceptions
from executors.hashing import UnhashableKey
from executors.kernels.stopping import stopped_by_user
from planner.failures import UserFailure
from planner.program import Apply, Program, Read, Together
from planner.site import is_engine_file

# Libraries that the engine calls with user code below them: no news between two other frames.
_BETWEEN = (
    functools.__file__,
    collections.__file__,
    f"{os.sep}cloudpickle{os.sep}",
    "pyarrow/",
    "<frozen importlib",
)
_LONG = 100  # transformations in one task that a RecursionError can be blamed on


class TaskExit(RuntimeError):
    """A task asked its process to end (sys.exit, KeyboardInterrupt)."""


class LineageTooLong(RecursionError):
    """More functions of one task call each other than Python can nest."""


class RemoteTraceback(Exception):
    """The traceback of a task's exception, as text; shown as the cause on the driver."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return "\n" + self.text


def describe(error: BaseException, program: Program, where: str, asked: str) -> UserFailure:
    """The failure to send for an exception that user code raised.

    Parameters
    ----------
    error : BaseException
    program : Program
        Of the stage; empty if that is what cannot be had.
    where : str
        Which task it was.
    asked : str
        The call site of the stage.
    """
    place = f"{where}, {_site(error, program) or _somewhere(program, asked)}"
    text = user_traceback(error)
    shown = _shown(error, program)
    message = f"{type(shown).__name__}: {exceptions.text_of(shown)} ({place})"
    return UserFailure(message, exceptions.to_bytes(shown), text, place)


def _shown(error: BaseException, program: Program) -> BaseException:
    """The exception that the driver raises for one of a task."""
    if isinstance(error, SystemExit):
        return TaskExit(f"a task called sys.exit({error.code!r}); a task ends by returning")
    if isinstance(error, StopIteration):  # in the driver it would end the wait for answers
        return stopped_by_user()
    if not isinstance(error, Exception):
        said = exceptions.text_of(error)
        what = f"{type(error).__name__}: {said}" if said else type(error).__name__
        return TaskExit(f"a task raised {what}, which is no Exception; a task ends by returning")
    if isinstance(error, ModuleNotFoundError):
        error.add_note("if the driver has that module, give it to tasks with sc.addPyFile()")
    if type(error) is TypeError and str(error).startswith("unhashable") and not _users(error):
        return UnhashableKey(f"{error}; a key is a tuple, a string, a number or the like")
    if isinstance(error, RecursionError) and _is_nesting(error):
        length = sum(len(step.ops) for step in program if isinstance(step, Apply))
        if length >= _LONG:
            return LineageTooLong(
                f"{length} transformations follow each other in one task, and their functions "
                "nest deeper than Python allows: checkpoint() the dataset and run an action every "
                "few hundred of them, or use map() and filter() instead of mapPartitions()"
            )
    return error


def _is_nesting(error: BaseException) -> bool:
    """Whether generators that read from each other are what is too deep, not the user's calls."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    users = [code for code in codes if not is_engine_file(code.co_filename)]
    return 2 * sum(bool(code.co_flags & CO_GENERATOR) for code in users) >= len(users)


def _users(error: BaseException) -> list[traceback.FrameSummary]:
    return users_frames(traceback.extract_tb(error.__traceback__))


def raise_again(failure: UserFailure) -> BaseException:
    """The exception to raise on the driver."""
    try:
        error = exceptions.from_bytes(failure.error)
    except Exception as reason:  # the user's class may do anything when it is unpickled
        error = RuntimeError(f"{failure.message} (the exception cannot be unpickled: {reason})")
    error.__cause__ = RemoteTraceback(failure.traceback)
    error.add_note(f"in {failure.site}")
    return error


def user_traceback(error: BaseException) -> str:
    """The traceback, with that of what led to it, without the engine's own frames."""
    whole = traceback.TracebackException.from_exception(error)
    waiting, found = [whole], []
    while waiting:
        each = waiting.pop()
        found.append(each)
        each.stack = traceback.StackSummary.from_list(users_frames(each.stack))
        waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
        waiting += each.exceptions or []
    for each in reversed(found):  # what happened in the engine only led to it is no news
        if each.__cause__ is not None and _is_empty(each.__cause__):
            each.__cause__ = None
        if each.__context__ is not None and _is_empty(each.__context__):
            each.__context__ = None
    text = "".join(whole.format()).rstrip()
    return text.replace("(most recent call last)", "(most recent call last, in the task)")


def _is_empty(shown: traceback.TracebackException) -> bool:
    """Whether neither an exception nor what led to it has a frame of the user's."""
    return not (shown.stack or shown.__cause__ or shown.__context__ or shown.exceptions)


def users_frames(stack: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """The frames that are not the engine's, nor of a library between the engine and the user."""
    found: list[traceback.FrameSummary] = []
    inside = True
    for frame in stack:
        file = frame.filename
        inside = is_engine_file(file) or (inside and any(each in file for each in _BETWEEN))
        if not inside:
            found.append(frame)
    return found


def _site(error: BaseException, program: Program) -> str:
    """The transformation whose function stands in the traceback, if one does."""
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
    return found


def _somewhere(program: Program, asked: str) -> str:
    """From the first to the last transformation of a stage."""
    sites: list[str] = []
    for step in program:
        here = step.sites if isinstance(step, Apply) else ()
        if isinstance(step, Read | Together):
            here = (step.site,)
        sites += [str(site) for site in here if site.file]
    sites.append(asked)
    return sites[0] if sites[0] == sites[-1] else f"between {sites[0]} and {sites[-1]}"


def _codes(value: Any, depth: int) -> list[CodeType]:
    """Code objects of the functions that an op carries, and of those they wrap or contain."""
    code = getattr(value, "__code__", None)
    if isinstance(code, CodeType):
        contents = map(_content, getattr(value, "__closure__", None) or ())
        inner = [each for each in contents if callable(each)] if depth < 4 else []
        return [*_nested(code), *(found for f in inner for found in _codes(f, depth + 1))]
    if depth >= 4:
        return []
    fields = getattr(value, "__dict__", None)
    values = list(fields.values()) if isinstance(fields, dict) else []
    values += [
        getattr(value, n) for n in getattr(type(value), "__slots__", ()) if hasattr(value, n)
    ]
    return [code for each in values if callable(each) for code in _codes(each, depth + 1)]


def _nested(code: CodeType) -> list[CodeType]:
    """A function's code and those of the lambdas and generators in it."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [code, *(found for each in inner for found in _nested(each))]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None
