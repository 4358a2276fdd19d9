"""The values of one key, as `groupByKey` and `cogroup` give them."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")

__all__ = ["ResultIterable"]


class ResultIterable(list[T]):
    """An iterable of known length that can be read again and sent between processes.

    It is a list for the sake of speed: its length and its values are read without a call of Python
    code. As in PySpark it is equal to itself alone, and can be a key.

    Parameters
    ----------
    data : iterable
        The values, in the order they came.

    Examples
    --------
    >>> values = ResultIterable([1, 2])
    >>> len(values), list(values), list(values)
    (2, [1, 2], [1, 2])
    """

    __slots__ = ()
    __hash__ = object.__hash__

    @property
    def data(self) -> ResultIterable[T]:
        """The values."""
        return self

    @property
    def maxindex(self) -> int:
        """The number of values."""
        return len(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __reduce__(self) -> tuple[Any, ...]:
        return ResultIterable, (list(self),)
