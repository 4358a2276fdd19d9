"""Keys that hash differently from process to process are noticed by whoever reads them.

Rows go to channels by the hash of their key in the process that writes. A key whose hash hangs on
its address would be looked for elsewhere by the next writer, and be grouped wrongly. That it landed
in the right channel proves little: addresses are multiples of a power of two, as are numbers of
channels. So writers send along the whole hash of a few keys whose type is not beyond doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from executors.hashing import portable_hash

Marks = Sequence[tuple[int, int]]  # (place of a row, hash of its key)
_MOST = 8  # keys marked of one frame


class StrayKey(TypeError):
    """A key that hashes differently in different processes."""


def marks_of(rows: Sequence[Any]) -> list[tuple[int, int]]:
    """The places of the first row of each type of key, and of the last row, with their hashes.

    >>> marks_of([(1, "a"), (2, "b"), (None, "c"), (3, "d")])
    [(0, 1), (2, 0), (3, 3)]
    """
    places: dict[Any, int] = {}
    for place, row in enumerate(rows):
        if len(places) == _MOST - 1:
            break
        places.setdefault(type(row[0]), place)
    chosen = dict.fromkeys((*places.values(), len(rows) - 1))
    return [(place, portable_hash(rows[place][0])) for place in chosen]


def refuse_strays(rows: Sequence[Any], marks: Marks, channel: int, channels: int) -> None:
    """Raise StrayKey if a key of `rows` does not hash here as it did where it was written."""
    for row in (rows[0], rows[-1]):
        if portable_hash(row[0]) % channels != channel:
            raise _stray(row[0])
    for place, hashed in marks:
        if portable_hash(rows[place][0]) != hashed:
            raise _stray(rows[place][0])


def _stray(key: Any) -> StrayKey:
    return StrayKey(
        f"key {key!r:.80} of type {type(key).__name__} hashes differently in different processes: "
        "give its class __eq__ and __hash__ by value, or "
        "use a tuple, a string or a number as the key"
    )
