"""Which part of a value cannot be pickled, in the user's words."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dis import get_instructions
from functools import partial
from inspect import signature
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from executors import pickling

_DEPTH = 8
_OURS = ("minispark", "executors", "planner")
_PLAIN = (TypeError, AttributeError, pickle.PicklingError, RecursionError)


class ClosureError(pickle.PicklingError, TypeError, RuntimeError):
    """A function, or something it uses, cannot be sent to the executors.

    It is a RuntimeError and a TypeError too, because PySpark raises either, by the cause.
    """


class RowError(pickle.PicklingError, TypeError):
    """A row that a task made cannot be sent to another process."""


def explain(value: Any, error: BaseException) -> str:
    """One line that says what of `value` stops it from being pickled, and what to do.

    Parameters
    ----------
    value
        A function that the user gave, or data.
    error : BaseException
        What pickling it raised.

    Examples
    --------
    >>> import threading
    >>> lock = threading.Lock()
    >>> try:
    ...     pickling.by_value({"guard": lock})
    ... except TypeError as error:
    ...     print(explain({"guard": lock}, error))
    entry 'guard' cannot be sent to the executors: cannot pickle '_thread.lock' object; make it \
inside the function that runs there, or pass the plain values it needs
    """
    why = _why(error)
    if isinstance(error, _PLAIN):  # others say themselves what to do
        why += "; make it inside the function that runs there, or pass the plain values it needs"
    return f"{_culprit(value)} cannot be sent to the executors: {why}"


def dump_rows(rows: Any, what: str = "a row") -> bytes:
    """Rows pickled; `what` they are for the error's text.

    Raises
    ------
    RowError
        One of them cannot be.
    Exception
        What a __reduce__ of the user's raises.
    """
    try:
        return pickling.dumps(rows)
    except _PLAIN as error:
        raise _row_error(rows, error, what) from error


def _row_error(rows: Any, error: BaseException, what: str) -> RowError:
    listed = rows if isinstance(rows, list) else [rows]
    row = next((row for row in listed if _fails(row)), rows)
    part = _culprit(row)
    inside = "" if part == _name(row) else f" ({part})"
    return RowError(
        f"{what} of type {type(row).__name__}{inside} cannot be sent to another process: "
        f"{_why(error)}; let functions give plain values: numbers, text, tuples, objects of those"
    )


def _why(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep for pickling"
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _fails(value: Any) -> bool:
    try:
        pickling.by_value(value)
    except Exception:  # whatever a user's __reduce__ raises is a "no"
        return True
    return False


def _culprit(value: Any) -> str:
    """The innermost thing below `value` that fails, and what uses it."""
    path: list[str] = []
    seen: set[int] = set()
    while id(value) not in seen and len(seen) < _DEPTH:
        seen.add(id(value))
        found = next(((name, part) for name, part in _parts(value) if _fails(part)), None)
        if found is None:
            break
        name, value = found
        if name:
            path.append(name)
    if not path:
        return _name(value)
    used = "".join(f" (used by {name}" for name in reversed(path[:-1]))
    return path[-1] + used + ")" * (len(path) - 1)


def _name(value: Any) -> str:
    try:
        shown = repr(value)
    except Exception:  # a user's __repr__ may raise anything
        shown = ""
    return f"{type(value).__name__} {shown:.60}".rstrip()


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What pickling `value` has to pickle, by a name for people; the engine's own has no name."""
    if isinstance(value, FunctionType):
        yield from _used_by(value)
    elif isinstance(value, MethodType):
        yield f"the object of method {value.__name__}()", value.__self__
    elif isinstance(value, partial):
        yield "", value.func
        yield from ((f"argument {i} of partial", each) for i, each in enumerate(value.args))
        yield from ((f"argument '{key}' of partial", e) for key, e in value.keywords.items())
    elif isinstance(value, tuple | list):
        of = type(value).__name__
        yield from ((f"element {i} of {of}", each) for i, each in enumerate(value))
    elif isinstance(value, dict):
        yield from ((f"entry {key!r:.40}", each) for key, each in value.items())
    elif not isinstance(value, type | ModuleType):
        yield from _attributes(value)


def _used_by(function: FunctionType) -> Iterator[tuple[str, Any]]:
    code = function.__code__
    file = os.path.basename(code.co_filename)
    where = f"of {function.__name__}() at {file}:{code.co_firstlineno}"
    if is_ours(function.__module__):
        where = ""
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield where and f"variable '{name}' {where}", cell.cell_contents
        except ValueError:
            continue  # an empty cell
    for name in _global_names(code):
        if name in function.__globals__:
            yield where and f"global '{name}' {where}", function.__globals__[name]
    for name, parameter in signature(function).parameters.items():
        if parameter.default is not parameter.empty:
            yield where and f"default of parameter '{name}' {where}", parameter.default


def _global_names(code: CodeType) -> list[str]:
    """Names that a function and the functions in it look up outside."""
    found = [each.argval for each in get_instructions(code) if each.opname == "LOAD_GLOBAL"]
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [*found, *(name for each in inner for name in _global_names(each))]


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    kind: Any = type(value)
    if kind.__reduce_ex__ is not object.__reduce_ex__ or kind.__reduce__ is not object.__reduce__:
        return  # it says itself how it is pickled, or why not
    fields = getattr(value, "__dict__", None)
    found = dict(fields) if isinstance(fields, dict) else {}
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                found[name] = getattr(value, name)
    for name, each in found.items():
        yield "" if is_ours(kind.__module__) else f"attribute '{name}' of {kind.__name__}", each


def is_ours(module: str | None) -> bool:
    """Whether a module is the engine's."""
    return str(module).partition(".")[0] in _OURS
