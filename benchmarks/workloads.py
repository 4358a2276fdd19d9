"""The workloads of `rows.py`: user functions, and one PySpark-shaped `run(sc, data)` for each.

`run` is the same for PySpark and for minispark. The hand-written loops (`handloop.py`) call the
same user functions. Everything is split in two, and every input is made from numbers, so that no
engine is timed while it ships data from the driver.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import add
from typing import Any

import numpy as np

Data = dict[str, Any]

PARTS = 2
PRIME = 2_147_483_647


def as_is(raw: Any) -> Any:
    """The result of a run is the value to compare."""
    return raw


@dataclass(frozen=True)
class Workload:
    """One line of the table.

    `sizes` gives the input for a scale and a folder for files; `setup` runs before the clock
    starts and its result is `data["ready"]`; `value` turns what `run` gave into what is compared.
    `own_target` says that issue 2 names figures for this workload instead of the general ones.
    """

    name: str
    run: Callable[[Any, Data], Any]
    sizes: Callable[[float, str], Data]
    setup: Callable[[Any, Data], Any] | None = None
    value: Callable[[Any], Any] = as_is
    own_target: bool = False


# ---- word count ----------------------------------------------------------------------------------


def words(line: str) -> list[str]:
    return line.split()


def one(word: str) -> tuple[str, int]:
    return (word, 1)


def text_sizes(scale: float, folder: str) -> Data:
    """A text of 60 MB × scale: 50,000 words, some far more often than others, 12 to a line."""
    path = os.path.join(folder, "words.txt")
    random = np.random.default_rng(7)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(
        ["".join(random.choice(letters, size)) for size in random.integers(3, 11, 50_000)]
    )
    with open(path, "w") as file:
        while file.tell() < 60_000_000 * scale:
            picks = (50_000 * random.random(120_000) ** 3).astype(int)
            lines = vocabulary[picks].reshape(-1, 12)
            file.write("\n".join(" ".join(line) for line in lines) + "\n")
    return {"path": path}


def word_count(sc: Any, data: Data) -> Any:
    return (
        sc.textFile(data["path"], PARTS).flatMap(words).map(one).reduceByKey(add, PARTS).collect()
    )


# ---- map, filter, sum ----------------------------------------------------------------------------


def shifted(x: int) -> int:
    return 3 * x + 1


def divisible(x: int) -> bool:
    return x % 5 != 0


def map_filter_sum(sc: Any, data: Data) -> Any:
    return sc.range(0, data["n"], 1, PARTS).map(shifted).filter(divisible).sum()


# ---- reduceByKey, groupByKey ---------------------------------------------------------------------


def keyed(keys: int) -> Callable[[int], tuple[int, int]]:
    """Makes the function that gives every number one of `keys` keys, neighbours far apart."""

    def pair(i: int) -> tuple[int, int]:
        return (i * 7919 % keys, i)

    return pair


def pairs_sizes(scale: float, folder: str) -> Data:
    return {"n": int(2_000_000 * scale), "keys": int(100_000 * scale)}


def reduce_by_key(sc: Any, data: Data) -> Any:
    pairs = sc.range(0, data["n"], 1, PARTS).map(keyed(data["keys"]))
    return pairs.reduceByKey(add, PARTS).collect()


def group_by_key(sc: Any, data: Data) -> Any:
    pairs = sc.range(0, data["n"], 1, PARTS).map(keyed(data["keys"]))
    return pairs.groupByKey(PARTS).mapValues(len).collect()


# ---- sortByKey -----------------------------------------------------------------------------------


def scrambled(i: int) -> tuple[int, int]:
    """A pair whose key is a different number for every i, in no order."""
    return (i * 48_271 % PRIME, i)


def digest(rows: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """(number of rows, a checksum that depends on their order) as one row."""
    count = checksum = 0
    for key, value in rows:
        checksum = (31 * checksum + key + value) % PRIME
        count += 1
    yield (count, checksum)


def joined_digest(digests: list[tuple[int, int]]) -> tuple[int, int]:
    """The digest of all partitions in order, wherever the borders between them were."""
    total = checksum = 0
    for count, part in digests:
        checksum = (checksum * pow(31, count, PRIME) + part) % PRIME
        total += count
    return (total, checksum)


def sort_by_key(sc: Any, data: Data) -> Any:
    pairs = sc.range(0, data["n"], 1, PARTS).map(scrambled)
    return pairs.sortByKey(numPartitions=PARTS).mapPartitions(digest).collect()


# ---- join ----------------------------------------------------------------------------------------


def left_row(i: int) -> tuple[int, int]:
    return (i * 7919 % 400_009, i)


def right_row(i: int) -> tuple[int, int]:
    return (i * 104_729 % 400_009, -i)


def score(row: tuple[int, tuple[int, int]]) -> int:
    key, (left, right) = row
    return key * left + right


def join(sc: Any, data: Data) -> Any:
    left = sc.range(0, data["n"], 1, PARTS).map(left_row)
    right = sc.range(0, data["n"], 1, PARTS).map(right_row)
    return left.join(right, PARTS).map(score).sum()


# ---- passes of logistic regression over cached points --------------------------------------------


def points_of(n: int, dimensions: int) -> Callable[[int], list[Any]]:
    """Makes the function that gives the points (label, array) of one part of the data."""

    def points(part: int) -> list[Any]:
        random = np.random.default_rng(part)
        return [
            (label, random.normal(0.7 * label, 1.0, dimensions))
            for label in random.choice([-1.0, 1.0], n // PARTS)
        ]

    return points


def gradient_at(weights: Any) -> Callable[[Any], Any]:
    """Makes the function that gives a point's share of the gradient of the logistic loss."""

    def gradient(point: Any) -> Any:
        label, x = point
        return (1.0 / (1.0 + math.exp(-label * weights.dot(x))) - 1.0) * label * x

    return gradient


def start_weights(data: Data) -> Any:
    return np.zeros(data["dimensions"])


def points_sizes(scale: float, folder: str) -> Data:
    n = int(200_000 * scale)
    return {"n": n, "dimensions": 10, "passes": 10, "rate": 1.0 / n}


def cached_points(sc: Any, data: Data) -> Any:
    points = sc.range(0, PARTS, 1, PARTS).flatMap(points_of(data["n"], data["dimensions"])).cache()
    points.count()
    return points


def logistic_regression(sc: Any, data: Data) -> Any:
    weights = start_weights(data)
    for _ in range(data["passes"]):
        weights = weights - data["rate"] * data["ready"].map(gradient_at(weights)).reduce(add)
    return weights


# ---- PageRank ------------------------------------------------------------------------------------


def edge_among(pages: int) -> Callable[[int], tuple[int, int]]:
    """Makes the function that gives link number i as (page, page it points at)."""

    def edge(i: int) -> tuple[int, int]:
        return (i * 7919 % pages, i * 48_271 % PRIME % pages)

    return edge


def full_rank(targets: Any) -> float:
    return 1.0


def contributions(row: Any) -> list[tuple[int, float]]:
    _page, (targets, rank) = row
    share = rank / len(targets)
    return [(target, share) for target in targets]


def damped(total: float) -> float:
    return 0.15 + 0.85 * total


def pagerank_sizes(scale: float, folder: str) -> Data:
    return {"edges": int(1_000_000 * scale), "pages": int(100_000 * scale), "iterations": 5}


def pagerank(sc: Any, data: Data) -> Any:
    edges = sc.range(0, data["edges"], 1, PARTS).map(edge_among(data["pages"]))
    links = edges.groupByKey(PARTS).cache()
    ranks = links.mapValues(full_rank)
    for _ in range(data["iterations"]):
        ranks = links.join(ranks, PARTS).flatMap(contributions).reduceByKey(add, PARTS)
        ranks = ranks.mapValues(damped)
    result = ranks.collect()
    links.unpersist()
    return result


# ---- twenty small jobs ---------------------------------------------------------------------------


def bucket(i: int) -> tuple[int, int]:
    return (i % 100, i)


def small_sizes(scale: float, folder: str) -> Data:
    return {"jobs": 20, "n": 1000}


def small_jobs(sc: Any, data: Data) -> Any:
    return [
        sc.parallelize(range(job, job + data["n"]), PARTS)
        .map(bucket)
        .reduceByKey(add, PARTS)
        .collect()
        for job in range(data["jobs"])
    ]


def list_of_dicts(results: list[Any]) -> list[Any]:
    return [dict(result) for result in results]


# ---- the table -----------------------------------------------------------------------------------


def numbers(full: int) -> Callable[[float, str], Data]:
    """Sizes of a workload that needs n numbers."""
    return lambda scale, folder: {"n": int(full * scale)}


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("word_count", word_count, text_sizes, value=dict),
        Workload("map_filter_sum", map_filter_sum, numbers(8_000_000)),
        Workload("reduce_by_key", reduce_by_key, pairs_sizes, value=dict),
        Workload("group_by_key", group_by_key, pairs_sizes, value=dict),
        Workload("sort_by_key", sort_by_key, numbers(1_000_000), value=joined_digest),
        Workload("join", join, numbers(400_000)),
        Workload("logistic_regression", logistic_regression, points_sizes, setup=cached_points),
        Workload("pagerank", pagerank, pagerank_sizes, value=dict),
        Workload("small_jobs", small_jobs, small_sizes, value=list_of_dicts, own_target=True),
    )
}


def same(one_value: Any, other: Any) -> bool:
    """Whether two results are equal; floats to one part in 10⁹, as sums come in any order."""
    if isinstance(one_value, dict):
        return one_value.keys() == other.keys() and all(
            same(value, other[key]) for key, value in one_value.items()
        )
    if isinstance(one_value, (list, tuple)):
        return len(one_value) == len(other) and all(map(same, one_value, other))
    if hasattr(one_value, "tolist"):
        return same(one_value.tolist(), other.tolist())
    if isinstance(one_value, float):
        return math.isclose(one_value, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one_value == other)
