"""One hash of keys for all workers.

Workers start with one hash seed, so the builtin hash of strings, bytes and numbers agrees between
them and keeps `1 == 1.0 == True`. Three things still differ from process to process and are mended
here: None, NaN, and both inside tuples. The driver must not hash keys: its seed is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, NoReturn

_STEADY = frozenset({str, bytes, int, bool})
_NONE_HASH = 0
_NAN_HASH = 0x4E614E


def portable_hash(key: Any) -> int:
    """The hash of a key, the same for equal keys in every worker.

    Raises
    ------
    TypeError
        If the key (or something in a tuple key) cannot be hashed.
    """
    kind = type(key)
    if kind in _STEADY:
        return hash(key)
    if key is None:
        return _NONE_HASH
    if kind is float:
        return _NAN_HASH if key != key else hash(key)
    if isinstance(key, tuple):
        return hash(tuple(map(portable_hash, key)))
    if isinstance(key, float) and key != key:
        return _NAN_HASH
    return hash(key)


def _tuple_hash(key: tuple[Any, ...]) -> int:
    return hash(tuple(map(hash, key)))


def best_hash(keys: Sequence[Any]) -> Callable[[Any], int]:
    """The fastest function that agrees with `portable_hash` on all of `keys`."""
    kinds = set(map(type, keys))
    if kinds <= _STEADY:
        return hash
    if kinds == {tuple} and set(map(type, chain.from_iterable(keys))) <= _STEADY:
        return _tuple_hash
    return portable_hash


def hashes(keys: Sequence[Any]) -> Iterable[int]:
    """The hash of each key."""
    return map(best_hash(keys), keys)


class UnhashableKey(TypeError):
    """A key that cannot be used to partition data."""


def refuse_unhashable(error: TypeError, keys: Iterable[Any]) -> NoReturn:
    """Raise what says why hashing `keys` failed: it names the first one that has no hash.

    Raises `error` itself where all of them have one.
    """
    for key in keys:
        try:
            portable_hash(key)
        except TypeError as reason:
            raise UnhashableKey(
                f"key {key!r:.80} of type {type(key).__name__} cannot be hashed, so rows cannot be "
                "grouped by it; use a tuple, a string or a number as the key"
            ) from reason
    raise error
