"""Small functions on rows that run in tasks, at the speed of C where they can."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

first_of = operator.itemgetter(0)
second_of = operator.itemgetter(1)


def first_of_each(pairs: Iterable[Any]) -> Iterator[Any]:
    """The keys of pairs."""
    return map(first_of, pairs)


def use_up(rows: Iterable[Any]) -> None:
    """Read to the end and keep nothing."""
    deque(rows, maxlen=0)
