"""An exception as bytes, raised in another process as what it was: its type, text and attributes.

Plain pickling calls the class with `args` again, which many constructors do not take. Where that
fails, or gives another text, the exception travels in parts and no constructor is called. What of
it cannot travel at all is left out, and said so in a note.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from executors import pickling


def to_bytes(error: BaseException) -> bytes:
    """`error` for `from_bytes`, without its traceback, cause and context.

    Examples
    --------
    >>> class TooHot(Exception):
    ...     def __init__(self, *, degrees):
    ...         super().__init__(f"{degrees} degrees")
    ...         self.degrees = degrees
    >>> found = from_bytes(to_bytes(TooHot(degrees=90)))
    >>> type(found), str(found), found.degrees
    (<class 'executors.exceptions.TooHot'>, '90 degrees', 90)
    """
    return _whole(error) or _in_parts(error) or _as_text(error)


def from_bytes(data: bytes) -> BaseException:
    """The exception of `to_bytes`."""
    error = pickle.loads(data)
    if not isinstance(error, BaseException):
        raise TypeError(f"not an exception: {type(error).__name__}")
    return error


def text_of(error: BaseException) -> str:
    """`str(error)`, whatever the class makes of it."""
    try:
        return str(error)
    except Exception as reason:  # a __str__ of the user's may raise anything
        return f"(its __str__ raised {type(reason).__name__})"


def _whole(error: BaseException) -> bytes | None:
    """The exception pickled, if it comes back the same."""
    if isinstance(error, BaseExceptionGroup):
        return None  # those in it have to be looked at too
    try:
        data = pickling.dumps(error)
    except Exception:  # a user's __reduce__ may raise anything
        return None
    return data if _comes_back(data, error) else None


def _comes_back(data: bytes, error: BaseException) -> bool:
    try:
        found = from_bytes(data)
    except BaseException:  # … and ask for anything, sys.exit too, to be called when it is unpickled
        return False
    same = type(found).__qualname__ == type(error).__qualname__
    return same and text_of(found) == text_of(error)


class _Call:
    """Pickles as a call."""

    def __init__(self, f: Callable[..., Any], *args: Any) -> None:
        self.call = f, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def _in_parts(error: BaseException) -> bytes | None:
    """Class, arguments and attributes of the exception, those of them that can be pickled."""
    kind = type(error)
    base = _builtin(kind)
    try:
        args = base.__reduce__(error)[1]  # for an OSError with the file's name
        assert isinstance(args, tuple)
        sent = tuple(map(_carried, args))
    except Exception:  # a repr of the user's may raise anything
        return None
    state = {name: each for name, each in vars(error).items() if _travels(each)}
    lost = sorted(vars(error).keys() - state.keys())
    if lost:
        names = ", ".join(lost)
        state["__notes__"] = [*state.get("__notes__", ()), f"(left out, cannot be sent: {names})"]
    try:
        data = pickling.dumps(_Call(_put_together, kind, sent, state))
    except Exception:  # the class itself cannot be sent
        return None
    return data if _comes_back(data, error) else None


def _put_together(kind: type[BaseException], args: Any, state: dict[str, Any]) -> BaseException:
    base = _builtin(kind)
    error: BaseException = base.__new__(kind, *args)
    base.__init__(error, *args)
    vars(error).update(state)
    return error


def _builtin(kind: type[BaseException]) -> Any:
    """The builtin exception that a class comes from: its constructor takes `args`."""
    return next(each for each in kind.__mro__ if each.__module__ == "builtins")


def _carried(value: Any) -> Any:
    """An argument as it can be sent: exceptions in parts too, and what must stay as its repr."""
    if isinstance(value, BaseException):
        return _Call(from_bytes, to_bytes(value))
    if isinstance(value, list | tuple) and any(isinstance(each, BaseException) for each in value):
        return type(value)(map(_carried, value))
    return value if _travels(value) else repr(value)


def _travels(value: Any) -> bool:
    try:
        pickle.loads(pickling.dumps(value))
    except Exception:  # whatever a user's __reduce__ raises is a "no"
        return False
    return True


def _as_text(error: BaseException) -> bytes:
    return pickling.dumps(RuntimeError(f"{type(error).__name__}: {text_of(error)}"))
