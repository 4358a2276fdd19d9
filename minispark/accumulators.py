"""Accumulators: tasks add, the driver reads.

In a task an accumulator is only a name: what is added goes to the task's own partial value, which
travels home with the task's answer. The driver adds a partial value when the answer counts, once
for each partition of a stage, whatever was retried or recomputed.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar
from weakref import WeakValueDictionary

from executors import current, pickling
from executors.orders import Pickled
from minispark.errors import PySparkRuntimeError

T = TypeVar("T")

_ids = itertools.count()
# The driver's accumulators in the driver, the names of them in a worker.
_registry: WeakValueDictionary[int, Accumulator[Any]] = WeakValueDictionary()


class AccumulatorParam(Generic[T]):
    """How values of a type are added up: override `zero` and `addInPlace`.

    Examples
    --------
    >>> class Longest(AccumulatorParam):
    ...     def zero(self, value):
    ...         return ""
    ...     def addInPlace(self, value1, value2):
    ...         return max(value1, value2, key=len)
    >>> longest = sc.accumulator("", Longest())
    >>> sc.parallelize(["a", "ccc", "bb"]).foreach(longest.add)
    >>> longest.value
    'ccc'
    """

    def zero(self, value: T) -> T:
        """A value that changes nothing when it is added, of the same shape as `value`.

        >>> INT_ACCUMULATOR_PARAM.zero(5)
        0
        """
        raise NotImplementedError(f"{type(self).__name__}.zero is not defined")

    def addInPlace(self, value1: T, value2: T) -> T:
        """The sum of two values; `value1` may be changed and returned.

        >>> INT_ACCUMULATOR_PARAM.addInPlace(5, 6)
        11
        """
        raise NotImplementedError(f"{type(self).__name__}.addInPlace is not defined")


class AddingAccumulatorParam(AccumulatorParam[T]):
    """Adds with `+=`.

    Parameters
    ----------
    zero_value
        What adding begins with.

    Examples
    --------
    >>> AddingAccumulatorParam("").addInPlace("a", "b")
    'ab'
    """

    def __init__(self, zero_value: T) -> None:
        self.zero_value = zero_value

    def zero(self, value: T) -> T:
        """The zero value.

        >>> AddingAccumulatorParam(0.0).zero(3.0)
        0.0
        """
        return self.zero_value

    def addInPlace(self, value1: Any, value2: Any) -> T:
        """`value1 += value2`.

        >>> AddingAccumulatorParam([]).addInPlace([1], [2])
        [1, 2]
        """
        value1 += value2
        total: T = value1
        return total


INT_ACCUMULATOR_PARAM: AccumulatorParam[Any] = AddingAccumulatorParam(0)
FLOAT_ACCUMULATOR_PARAM: AccumulatorParam[Any] = AddingAccumulatorParam(0.0)
COMPLEX_ACCUMULATOR_PARAM: AccumulatorParam[Any] = AddingAccumulatorParam(0j)


def default_param(value: object) -> AccumulatorParam[Any]:
    """How numbers are added up.

    Raises
    ------
    TypeError
        `value` is not a number.

    Examples
    --------
    >>> default_param(True) is INT_ACCUMULATOR_PARAM
    True
    """
    kinds = (
        (int, INT_ACCUMULATOR_PARAM),
        (float, FLOAT_ACCUMULATOR_PARAM),
        (complex, COMPLEX_ACCUMULATOR_PARAM),
    )
    for kind, param in kinds:
        if isinstance(value, kind):
            return param
    raise TypeError(
        f"a value of type {type(value).__name__} needs an AccumulatorParam that says how to add"
    )


class _Partial:
    """What one task has added so far."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Accumulator(Generic[T]):
    """A value that tasks can add to; made with `SparkContext.accumulator`.

    Adding in an action counts once for each partition, even if tasks are retried. Adding in a
    transformation counts once for each job stage that runs it.

    Parameters
    ----------
    aid : int
        The accumulator's id.
    value
        What it begins with.
    accum_param : AccumulatorParam
        How values are added.

    Examples
    --------
    >>> total = sc.accumulator(0)
    >>> sc.parallelize([1, 2, 3]).foreach(lambda x: total.add(x))
    >>> total.value
    6
    >>> total += 4
    >>> total.value
    10
    """

    def __init__(self, aid: int, value: T, accum_param: AccumulatorParam[T]) -> None:
        self.aid = aid
        self.accum_param = accum_param
        self._value = value
        self._deserialized = False
        self._failure: Exception | None = None  # of accum_param, while adding what tasks sent
        _registry[aid] = self

    @classmethod
    def _new(cls, value: T, accum_param: AccumulatorParam[T]) -> Self:
        """An accumulator with an id of its own."""
        return cls(next(_ids), value, accum_param)

    def __reduce__(self) -> tuple[Callable[..., Accumulator[T]], tuple[Any, ...]]:
        return (_named, (self.aid, self.accum_param.zero(self._value), self.accum_param))

    @property
    def value(self) -> T:
        """The sum so far; only the driver can read or set it.

        Raises
        ------
        PySparkRuntimeError
            This is a task.
        RuntimeError
            The AccumulatorParam raised when it was to add what tasks had sent.

        Examples
        --------
        >>> count = sc.accumulator(5)
        >>> count.value = 7
        >>> count.value
        7
        """
        self._refuse_task()
        if self._failure is not None:
            kind = type(self.accum_param).__name__
            raise RuntimeError(
                f"{kind}.addInPlace failed on what a task had added: {self._failure}"
            ) from self._failure
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        self._refuse_task()
        self._value = value

    def _refuse_task(self) -> None:
        if current.get() is not None or self._deserialized:
            raise PySparkRuntimeError(
                errorClass="VALUE_NOT_ACCESSIBLE",
                messageParameters={"value": "Accumulator.value"},
            )

    def add(self, term: T) -> None:
        """Add `term`; `accumulator += term` does the same.

        >>> count = sc.accumulator(0)
        >>> sc.range(10).foreach(count.add)
        >>> count.value
        45
        """
        task = current.get()
        if task is None:
            self._value = self.accum_param.addInPlace(self._value, term)
            return
        partial = task.updates.get(self.aid)
        if partial is None:
            # A copy: the zero of an earlier task may have been added to in place.
            zero = copy.deepcopy(self.accum_param.zero(self._value))
            partial = task.updates[self.aid] = _Partial(zero)
        partial.value = self.accum_param.addInPlace(partial.value, term)

    def __iadd__(self, term: T) -> Self:
        self.add(term)
        return self

    def _here(self) -> T:
        """The value as this process sees it: in a task, what the task has added."""
        task = current.get()
        if task is None:
            return self._value
        partial = task.updates.get(self.aid)
        return self.accum_param.zero(self._value) if partial is None else partial.value

    def __str__(self) -> str:
        return str(self._here())

    def __repr__(self) -> str:
        return f"Accumulator<id={self.aid}, value={self._here()}>"


def _named(aid: int, zero: Any, param: AccumulatorParam[Any]) -> Accumulator[Any]:
    """Unpickle: the driver's own accumulator in the driver, its name in a worker."""
    known = _registry.get(aid)
    if known is not None:
        return known
    made = Accumulator(aid, zero, param)
    made._deserialized = True
    return made


def apply_updates(updates: Mapping[int, Any]) -> None:
    """Add what a task sent home; called in the driver, once for each answer that counts."""
    for aid, partial in updates.items():
        accumulator = _registry.get(aid)
        if accumulator is None:
            continue  # nobody is left who could read it
        try:
            if isinstance(partial, Pickled):
                partial = pickling.loads(partial.data)
            total = accumulator.accum_param.addInPlace(accumulator._value, partial)
        except Exception as error:  # the user's code: whoever reads the value is told
            accumulator._failure = error
        else:
            accumulator._value = total
