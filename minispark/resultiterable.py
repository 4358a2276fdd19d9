"""The values of one key, as `groupByKey` and `cogroup` give them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

__all__ = ["ResultIterable"]


class ResultIterable(Iterable[T], Generic[T]):
    """An iterable of known length that can be read again and sent between processes.

    Parameters
    ----------
    data : collection
        The values, in the order they came.

    Examples
    --------
    >>> values = ResultIterable([1, 2])
    >>> len(values), list(values), list(values)
    (2, [1, 2], [1, 2])
    """

    def __init__(self, data: Collection[T]) -> None:
        self.data = data

    @property
    def maxindex(self) -> int:
        """The number of values."""
        return len(self.data)

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)
