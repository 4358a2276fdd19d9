"""Keys that cannot be hashed, or hash differently elsewhere: refused, never grouped wrongly."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import add
from typing import Any, ClassVar

import pytest
from bad import refused, works
from contexts import MASTERS, make_context

from executors.hashing import UnhashableKey
from executors.marks import StrayKey
from minispark import SparkContext

TODO = "use a tuple, a string or a number as the key"


@pytest.fixture(scope="module", params=MASTERS)
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context(request.param, request)
    yield context
    context.stop()


@pytest.mark.parametrize(
    ("method", "ask"),
    [
        ("reduceByKey", lambda p: p.reduceByKey(add)),
        ("groupByKey", lambda p: p.groupByKey()),
        ("partitionBy", lambda p: p.partitionBy(2)),
        ("combineByKey", lambda p: p.combineByKey(int, add, add)),
        ("aggregateByKey", lambda p: p.aggregateByKey(0, add, add)),
        ("foldByKey", lambda p: p.foldByKey(0, add)),
        ("join", lambda p: p.join(p)),
        ("leftOuterJoin", lambda p: p.leftOuterJoin(p)),
        ("cogroup", lambda p: p.cogroup(p)),
        ("subtractByKey", lambda p: p.subtractByKey(p)),
        ("groupBy", lambda p: p.values().groupBy(lambda n: [n])),
        ("distinct", lambda p: p.keys().distinct()),
        ("subtract", lambda p: p.keys().subtract(p.keys())),
        ("intersection", lambda p: p.keys().intersection(p.keys())),
    ],
)
def test_lists_are_no_keys(sc: SparkContext, method: str, ask: Callable[[Any], Any]) -> None:
    pairs = sc.parallelize([([1], 1), ([2], 2), ([1], 3)], 3)
    words = ["of type list cannot be hashed", "rows cannot be grouped by it", TODO]
    with refused(sc, UnhashableKey, "key [", *words, f"{method} at test_keys.py:"):
        ask(pairs).collect()


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.countByKey(),
        lambda p: p.keys().countByValue(),
        lambda p: p.reduceByKeyLocally(add),
        lambda p: p.keys().countApproxDistinct(),
        lambda p: p.sampleByKey(False, {1: 0.5}).collect(),
    ],
)
def test_nor_where_they_are_counted(sc: SparkContext, ask: Callable[[Any], Any]) -> None:
    pairs = sc.parallelize([([1], 1), ([2], 2)], 2)
    words = ["unhashable type: 'list'", "a key is a tuple, a string, a number or the like"]
    with refused(sc, UnhashableKey, *words, "at test_keys.py:"):
        ask(pairs)


def test_a_key_with_a_list_inside_and_one_without_a_hash(sc: SparkContext) -> None:
    class NoHash:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, NoHash)

    with refused(sc, UnhashableKey, "key (1, [2]) of type tuple cannot be hashed"):
        sc.parallelize([((1, [2]), 1)] * 4, 2).reduceByKey(add).collect()
    with refused(sc, UnhashableKey, "of type NoHash cannot be hashed"):
        sc.parallelize([(NoHash(), 1)] * 4, 2).reduceByKey(add).collect()


def test_a_hash_that_raises_is_the_users_error(sc: SparkContext) -> None:
    class Bad:
        def __hash__(self) -> int:
            return 1 // 0

    with refused(sc, ZeroDivisionError, "reduceByKey at test_keys.py"):
        sc.parallelize(range(4), 2).map(lambda n: (Bad(), 1)).reduceByKey(add).collect()


# ---- keys that hash differently elsewhere --------------------------------------------------------


class Plain:
    """No hash of its own: each object is a key of its own, in its own process only."""

    def __init__(self, n: int) -> None:
        self.n = n


class Address(Plain):
    """Equal by value, but hashed by its address: wrong anywhere."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self.n == other.n

    def __hash__(self) -> int:
        return id(self)


@pytest.mark.parametrize("kind", [Plain, Address])
@pytest.mark.parametrize(
    ("method", "ask"),
    [
        ("reduceByKey", lambda p, n: p.reduceByKey(add, n)),
        ("groupByKey", lambda p, n: p.groupByKey(n)),
        ("join", lambda p, n: p.join(p, n)),
        ("distinct", lambda p, n: p.keys().distinct(n)),
        ("partitionBy", lambda p, n: p.partitionBy(n).mapValues(abs)),
    ],
)
@pytest.mark.parametrize("channels", [2, 3, 16])
def test_wandering_keys_are_refused(
    sc: SparkContext, kind: type, method: str, ask: Callable[..., Any], channels: int
) -> None:
    """By the whole hash: addresses of equal objects often agree in their last bits."""
    pairs = sc.parallelize([(kind(n % 3), 1) for n in range(40)], 4)
    words = [f"of type {kind.__name__} hashes differently in different processes", TODO]
    with pytest.raises(StrayKey) as caught:
        ask(pairs, channels).count()
    assert all(word in str(caught.value) for word in [*words, "give its class __eq__ and __hash__"])


def test_the_context_goes_on_after_one(sc: SparkContext) -> None:
    with refused(sc, StrayKey, "hashes differently", "at test_keys.py:"):
        sc.parallelize(range(40), 4).groupBy(lambda n: Plain(n % 3), 3).count()


def test_one_among_good_keys_is_noticed(sc: SparkContext) -> None:
    pairs = sc.parallelize([(n if n != 20 else Plain(n), 1) for n in range(40)], 4)
    with refused(sc, StrayKey, "of type Plain hashes differently"):
        pairs.reduceByKey(add, 4).count()


# ---- and keys that only seem to ------------------------------------------------------------------


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


@dataclass(frozen=True)
class Place:
    street: str
    number: int | None = None
    kind: ClassVar[str] = "place"
    note: str = field(default="", compare=False)


@dataclass(frozen=True)
class Ward(Place):
    def __hash__(self) -> int:
        return hash(self.street)


@pytest.mark.parametrize(
    "keys",
    [
        [None, (None, 1), ((None,), "a"), ()],
        [Colour.RED, Colour.GREEN],
        [frozenset({None, 1}), frozenset({1}), frozenset()],
        [Place("a"), Place("a", 1), Place("b", None)],
        [Ward("a"), Ward("b", 2)],
        [int, str, Place, Colour],
        [1, 1.5, 2**70, 10**30, -1, True],
        [b"x", "x", "é", ("x", b"x")],
        [float("inf"), 1e300, -0.0, 1j],
        [range(3), range(4), complex(1, 2)],
    ],
    ids=lambda keys: type(keys[0]).__name__,
)
def test_keys_meet(sc: SparkContext, keys: list[Any]) -> None:
    counted = dict(sc.parallelize(keys * 12, 4).map(lambda k: (k, 1)).reduceByKey(add, 3).collect())
    assert counted == {key: keys.count(key) * 12 for key in keys}


def test_equal_keys_of_different_types_meet(sc: SparkContext) -> None:
    pairs = sc.parallelize([(1, 1), (1.0, 1), (True, 1), (Place("a"), 1)], 4)
    pairs = pairs.union(sc.parallelize([(Place("a", note="other"), 1)], 1))
    assert dict(pairs.reduceByKey(add, 3).collect()) == {1: 3, Place("a"): 2}
    assert works(sc)
