"""Threads that take over the job group, tags and properties of the thread that made them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from minispark.context import SparkContext
from minispark.sql.session import SparkSession


def _properties() -> dict[str, str]:
    """What the calling thread has set for its jobs."""
    active = SparkContext._active_spark_context
    return {} if active is None else active._get_properties()


def _with_properties(f: Callable[..., Any], properties: dict[str, str]) -> Callable[..., Any]:
    @functools.wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        active = SparkContext._active_spark_context
        if active is not None:
            active._set_properties(properties)
        return f(*args, **kwargs)

    return run


def inheritable_thread_target(f: Callable[..., Any] | SparkSession) -> Callable[..., Any]:
    """Wrap the target of a thread so that its jobs have the properties of this thread, as now.

    Parameters
    ----------
    f : callable or SparkSession
        The target; given a session, the answer is a decorator for targets.

    Examples
    --------
    >>> import threading
    >>> sc.setLocalProperty("colour", "red")
    >>> @inheritable_thread_target
    ... def target():
    ...     print(sc.getLocalProperty("colour"))
    >>> thread = threading.Thread(target=target)
    >>> thread.start(); thread.join()
    red
    >>> sc.setLocalProperty("colour", None)
    """
    properties = _properties()
    if isinstance(f, SparkSession):
        return lambda target: _with_properties(target, properties)
    return _with_properties(f, properties)


class InheritableThread(threading.Thread):
    """A thread whose jobs have the properties that its maker has when it starts it.

    Parameters
    ----------
    target : callable
    session : SparkSession, optional
        Has no effect: tags are properties like others.
    *args, **kwargs
        As for threading.Thread.

    Examples
    --------
    >>> sc.addJobTag("slow")
    >>> thread = InheritableThread(target=lambda: print(sc.getJobTags()))
    >>> thread.start(); thread.join()
    {'slow'}
    >>> sc.clearJobTags()
    """

    def __init__(
        self,
        target: Callable[..., Any],
        *args: Any,
        session: SparkSession | None = None,
        **kwargs: Any,
    ) -> None:
        self._wanted = target
        self._inherited: dict[str, str] = {}
        super().__init__(None, self._run_target, *args, **kwargs)

    def _run_target(self, *args: Any, **kwargs: Any) -> Any:
        return _with_properties(self._wanted, self._inherited)(*args, **kwargs)

    def start(self) -> None:
        """Start the thread, with the properties that this thread has now.

        >>> thread = InheritableThread(target=print, args=("hello",))
        >>> thread.start(); thread.join()
        hello
        """
        self._inherited = _properties()
        super().start()
