"""Pickling: plain first in workers, by value from the driver, with an error that names the culprit."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

PROTOCOL = pickle.HIGHEST_PROTOCOL


@cache
def _cloud() -> ModuleType:
    import cloudpickle  # on first use: it is a third of a worker's start

    module: ModuleType = cloudpickle
    return module


def dumps(value: Any) -> bytes:
    """Pickle data in a worker: plainly, or by value where a class is not importable by name."""
    try:
        return pickle.dumps(value, PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        return by_value(value)


def by_value(value: Any) -> bytes:
    """Pickle anything, functions and classes of the user's script by value."""
    data: bytes = _cloud().dumps(value, PROTOCOL)
    return data


loads: Callable[[Any], Any] = pickle.loads


class ClosureError(pickle.PicklingError, TypeError, RuntimeError):
    """A function, or something it uses, cannot be sent to the executors.

    It is a RuntimeError and a TypeError too, because PySpark raises either, by the cause.
    """


def explain(value: Any, error: BaseException) -> str:
    """One line that says which variable of which function stops `value` from being pickled."""
    culprit = _culprit(value, "", set(), 0)
    reason = str(error).strip().splitlines()
    why = reason[-1] if reason else type(error).__name__
    return f"{culprit} cannot be sent to the executors: {why}" if culprit else why


def _fails(value: Any) -> bool:
    try:
        by_value(value)
    except Exception:  # whatever a user's __reduce__ raises is a "no"
        return True
    return False


def _culprit(value: Any, path: str, seen: set[int], depth: int) -> str:
    """The innermost thing below `value` that fails, in the user's words."""
    if id(value) in seen or depth > 6:
        return path
    seen.add(id(value))
    for name, inner in _parts(value):
        if _fails(inner):
            here = name if not path else f"{name} (used by {path})"
            return _culprit(inner, here, seen, depth + 1) or here
    return path or f"{type(value).__name__} {value!r:.60}"


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, FunctionType):
        code = value.__code__
        where = (
            f"of {value.__name__}() at {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}"
        )
        cells = zip(code.co_freevars, value.__closure__ or (), strict=False)
        found = [(f"variable '{name}' {where}", cell.cell_contents) for name, cell in cells]
        names = [n for n in code.co_names if n in value.__globals__]
        found += [(f"global '{n}' {where}", value.__globals__[n]) for n in names]
        found += [(f"default of {where}", default) for default in value.__defaults__ or ()]
        return found
    if isinstance(value, tuple | list):
        return [(f"element {i} of {type(value).__name__}", each) for i, each in enumerate(value)]
    if isinstance(value, dict):
        return [(f"entry {key!r}", each) for key, each in value.items()]
    kind: Any = type(value)
    if kind.__reduce_ex__ is not object.__reduce_ex__ or kind.__reduce__ is not object.__reduce__:
        return []  # it says itself how it is pickled, or why not
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict) and not isinstance(value, type | ModuleType):
        of = kind.__name__
        return [(f"attribute '{name}' of {of}", each) for name, each in attributes.items()]
    return []
