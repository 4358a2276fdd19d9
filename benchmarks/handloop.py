"""What a careful Python programmer gets: plain loops in two processes that are already running.

The loops call the same functions per record as the engines do (`workloads.py`). Rows for the other
process go through a pickle in a memory-backed file; commands and results through pipes. Both
processes are forked from one, so `hash` agrees between them.
"""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import add, itemgetter
from typing import Any

from benchmarks import workloads as w
from benchmarks.workloads import Data

MEMORY = "/dev/shm"


class Place:
    """One of the two processes: its number, what it keeps between calls, its mail."""

    def __init__(self, index: int, folder: str) -> None:
        self.index = index
        self.folder = folder
        self.kept: Any = None
        self.own: Any = None

    def numbers(self, n: int) -> range:
        """This process's half of 0 … n - 1."""
        return range(n * self.index // 2, n * (self.index + 1) // 2)

    def scatter(self, both: list[Any]) -> None:
        """Leave `both[0]` for process 0 and `both[1]` for process 1."""
        self.own = both[self.index]
        with open(os.path.join(self.folder, f"for-{1 - self.index}"), "wb") as file:
            pickle.dump(both[1 - self.index], file, protocol=5)

    def gather(self) -> list[Any]:
        """What processes 0 and 1 left for this one, in that order."""
        with open(os.path.join(self.folder, f"for-{self.index}"), "rb") as file:
            theirs = pickle.load(file)
        own, self.own = self.own, None
        return [own, theirs] if self.index == 0 else [theirs, own]


def serve(connection: Connection, place: Place) -> None:
    """The life of a process: a function and its arguments in, its result out."""
    while (request := connection.recv()) is not None:
        function, arguments = request
        connection.send(function(place, *arguments))


class TwoProcesses:
    """Two forked processes that do the same call at the same time."""

    def __init__(self) -> None:
        memory = MEMORY if os.access(MEMORY, os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="handloop.", dir=memory)
        context = get_context("fork")
        self.connections: list[Connection] = []
        self.processes = []
        for index in range(2):
            mine, theirs = context.Pipe()
            place = Place(index, self.folder)
            process = context.Process(target=serve, args=(theirs, place), daemon=True)
            process.start()
            self.connections.append(mine)
            self.processes.append(process)

    def call(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """function(place, *arguments) in both; the two results in order."""
        return self.each(function, arguments, arguments)

    def each(self, function: Callable[..., Any], *arguments: tuple[Any, ...]) -> list[Any]:
        """As `call`, with arguments of its own for each process."""
        for connection, own in zip(self.connections, arguments, strict=True):
            connection.send((function, own))
        return [connection.recv() for connection in self.connections]

    def stop(self) -> None:
        for connection, process in zip(self.connections, self.processes, strict=True):
            connection.send(None)
            process.join()
        shutil.rmtree(self.folder)


def collect_garbage(place: Place) -> None:
    gc.collect()


def split(rows: dict[Any, Any]) -> list[dict[Any, Any]]:
    """The entries of a dict by the process that their key belongs to."""
    both: list[dict[Any, Any]] = [{}, {}]
    for key, value in rows.items():
        both[hash(key) % 2][key] = value
    return both


def merged(place: Place) -> dict[Any, Any]:
    """The sums by key of what both processes sent here."""
    totals, others = place.gather()
    for key, value in others.items():
        if key in totals:
            totals[key] = add(totals[key], value)
        else:
            totals[key] = value
    result: dict[Any, Any] = totals
    return result


def sums(place: Place) -> list[tuple[Any, Any]]:
    return list(merged(place).items())


# ---- word count ----------------------------------------------------------------------------------


def count_words(place: Place, path: str) -> None:
    """Counts of the lines that begin in this process's half of the file."""
    counts: dict[str, int] = {}
    size = os.path.getsize(path)
    position, stop = size * place.index // 2, size * (place.index + 1) // 2
    with open(path, "rb") as file:
        if position:
            file.seek(position - 1)
            position += len(file.readline()) - 1
        while position < stop:
            raw = file.readline()
            position += len(raw)
            for word in w.words(raw.decode()):
                key, value = w.one(word)
                if key in counts:
                    counts[key] = add(counts[key], value)
                else:
                    counts[key] = value
    place.scatter(split(counts))


def word_count(two: TwoProcesses, data: Data) -> Any:
    two.call(count_words, data["path"])
    return [pair for part in two.call(sums) for pair in part]


# ---- map, filter, sum ----------------------------------------------------------------------------


def sum_numbers(place: Place, n: int) -> int:
    total = 0
    for x in place.numbers(n):
        y = w.shifted(x)
        if w.divisible(y):
            total += y
    return total


def map_filter_sum(two: TwoProcesses, data: Data) -> Any:
    return sum(two.call(sum_numbers, data["n"]))


# ---- reduceByKey, groupByKey ---------------------------------------------------------------------


def add_by_key(place: Place, n: int, keys: int) -> None:
    totals: dict[int, int] = {}
    pair = w.keyed(keys)
    for i in place.numbers(n):
        key, value = pair(i)
        if key in totals:
            totals[key] = add(totals[key], value)
        else:
            totals[key] = value
    place.scatter(split(totals))


def reduce_by_key(two: TwoProcesses, data: Data) -> Any:
    two.call(add_by_key, data["n"], data["keys"])
    return [pair for part in two.call(sums) for pair in part]


def group_pairs(place: Place, pair: Callable[[int], tuple[int, int]], n: int) -> None:
    """The values of each key in a list, on their way to the key's process."""
    groups: dict[int, list[int]] = {}
    for i in place.numbers(n):
        key, value = pair(i)
        if key in groups:
            groups[key].append(value)
        else:
            groups[key] = [value]
    place.scatter(split(groups))


def joined_groups(place: Place) -> dict[int, list[int]]:
    groups, others = place.gather()
    for key, values in others.items():
        if key in groups:
            groups[key].extend(values)
        else:
            groups[key] = values
    result: dict[int, list[int]] = groups
    return result


def group_numbers(place: Place, n: int, keys: int) -> None:
    group_pairs(place, w.keyed(keys), n)


def group_lengths(place: Place) -> list[tuple[int, int]]:
    return [(key, len(values)) for key, values in joined_groups(place).items()]


def group_by_key(two: TwoProcesses, data: Data) -> Any:
    two.call(group_numbers, data["n"], data["keys"])
    return [pair for part in two.call(group_lengths) for pair in part]


# ---- sortByKey -----------------------------------------------------------------------------------


def sample_keys(place: Place, n: int) -> list[int]:
    """Make the rows, keep them, and show a few keys."""
    place.kept = [w.scrambled(i) for i in place.numbers(n)]
    return [key for key, _ in place.kept[:: max(1, len(place.kept) // 100)]]


def split_at(place: Place, bound: int) -> None:
    low: list[tuple[int, int]] = []
    high: list[tuple[int, int]] = []
    for row in place.kept:
        (high if row[0] > bound else low).append(row)
    place.kept = None
    place.scatter([low, high])


def sort_rows(place: Place) -> tuple[int, int]:
    first, second = place.gather()
    rows = first + second
    rows.sort(key=itemgetter(0))
    return next(w.digest(rows))


def sort_by_key(two: TwoProcesses, data: Data) -> Any:
    keys = sorted(key for sample in two.call(sample_keys, data["n"]) for key in sample)
    two.call(split_at, keys[len(keys) // 2])
    return two.call(sort_rows)


# ---- join ----------------------------------------------------------------------------------------


def scatter_sides(place: Place, n: int) -> None:
    both: list[tuple[list[Any], list[Any]]] = [([], []), ([], [])]
    for i in place.numbers(n):
        row = w.left_row(i)
        both[hash(row[0]) % 2][0].append(row)
    for i in place.numbers(n):
        row = w.right_row(i)
        both[hash(row[0]) % 2][1].append(row)
    place.scatter(both)


def join_sides(place: Place) -> int:
    table: dict[int, list[int]] = {}
    total = 0
    parts = place.gather()
    for left, _ in parts:
        for key, value in left:
            if key in table:
                table[key].append(value)
            else:
                table[key] = [value]
    for _, right in parts:
        for key, other in right:
            for value in table.get(key, ()):
                total += w.score((key, (value, other)))
    return total


def join(two: TwoProcesses, data: Data) -> Any:
    two.call(scatter_sides, data["n"])
    return sum(two.call(join_sides))


# ---- passes of logistic regression over kept points ----------------------------------------------


def keep_points(place: Place, n: int, dimensions: int) -> None:
    place.kept = w.points_of(n, dimensions)(place.index)


def add_gradients(place: Place, weights: Any) -> Any:
    gradient = w.gradient_at(weights)
    total = None
    for point in place.kept:
        part = gradient(point)
        total = part if total is None else add(total, part)
    return total


def kept_points(two: TwoProcesses, data: Data) -> None:
    two.call(keep_points, data["n"], data["dimensions"])


def logistic_regression(two: TwoProcesses, data: Data) -> Any:
    weights = w.start_weights(data)
    for _ in range(data["passes"]):
        weights = weights - data["rate"] * add(*two.call(add_gradients, weights))
    return weights


# ---- PageRank ------------------------------------------------------------------------------------


def scatter_links(place: Place, edges: int, pages: int) -> None:
    group_pairs(place, w.edge_among(pages), edges)


def keep_links(place: Place) -> None:
    links = joined_groups(place)
    place.kept = (links, {page: w.full_rank(targets) for page, targets in links.items()})


def contribute(place: Place) -> None:
    links, ranks = place.kept
    totals: dict[int, float] = {}
    for page, targets in links.items():
        if page in ranks:
            for target, share in w.contributions((page, (targets, ranks[page]))):
                if target in totals:
                    totals[target] = add(totals[target], share)
                else:
                    totals[target] = share
    place.scatter(split(totals))


def new_ranks(place: Place) -> None:
    ranks = {page: w.damped(total) for page, total in merged(place).items()}
    place.kept = (place.kept[0], ranks)


def take_ranks(place: Place) -> list[tuple[int, float]]:
    _, ranks = place.kept
    place.kept = None
    return list(ranks.items())


def pagerank(two: TwoProcesses, data: Data) -> Any:
    two.call(scatter_links, data["edges"], data["pages"])
    two.call(keep_links)
    for _ in range(data["iterations"]):
        two.call(contribute)
        two.call(new_ranks)
    return [pair for part in two.call(take_ranks) for pair in part]


# ---- twenty small jobs ---------------------------------------------------------------------------


def add_buckets(place: Place, rows: list[int]) -> None:
    totals: dict[int, int] = {}
    for i in rows:
        key, value = w.bucket(i)
        if key in totals:
            totals[key] = add(totals[key], value)
        else:
            totals[key] = value
    place.scatter(split(totals))


def small_jobs(two: TwoProcesses, data: Data) -> Any:
    results = []
    for job in range(data["jobs"]):
        rows = list(range(job, job + data["n"]))
        half = len(rows) // 2
        two.each(add_buckets, (rows[:half],), (rows[half:],))
        results.append([pair for part in two.call(sums) for pair in part])
    return results


HAND = {
    run.__name__: run
    for run in (
        word_count,
        map_filter_sum,
        reduce_by_key,
        group_by_key,
        sort_by_key,
        join,
        logistic_regression,
        pagerank,
        small_jobs,
    )
}
SETUPS = {"logistic_regression": kept_points}
