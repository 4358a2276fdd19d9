"""Which slices of a scan a query needs, and how they are dealt to tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from planner.columns.building import build
from planner.columns.columnar import to_polars
from planner.columns.expressions import Attr, Expr, attributes
from planner.columns.functions.registry import Settings
from planner.query import logical as l


@dataclass(frozen=True)
class Cutting:
    """How files become tasks: the bytes of a task at most, what opening a file counts as (bytes),
    and the number of tasks that there should be at least, if the files give them."""

    most: int = 128 << 20
    opening: int = 4 << 20
    tasks: int = 1

    def size(self, slices: Sequence[l.FileSlice]) -> int:
        """The bytes of a task of these slices, as Spark finds them."""
        total = self._total(slices)
        return max(1, min(self.most, max(self.opening, -(-total // max(1, self.tasks)))))

    def piece(self, slices: Sequence[l.FileSlice]) -> int:
        """The bytes of the pieces of large files: a little less than `size` where that makes as
        many of them as end together."""
        total, size = self._total(slices), self.size(slices)
        rounds = max(1, -(-total // (size * max(1, self.tasks))))
        even = -(-total // (rounds * max(1, self.tasks)))
        return max(1, min(size, max(self.opening, even)))

    def _total(self, slices: Sequence[l.FileSlice]) -> int:
        return sum(max(0, each.bytes) + self.opening for each in slices)


def pruned(scan: l.Scan, settings: Settings) -> l.Scan:
    """The scan without slices whose folders' values make one of its filters false.

    The filters are those that say something of partition columns alone; they are evaluated over
    the values, a row for each distinct combination.
    """
    named = set(scan.partitioned)
    of_folders = [each for each in scan.filters if attributes(each) and _only(each, named)]
    if not of_folders or not scan.slices:
        return scan
    distinct = list(dict.fromkeys(each.values for each in scan.slices))
    sides = {
        attr.column: pl.Series([row[at] for row in distinct], dtype=to_polars(attr.kind))
        for at, attr in enumerate(scan.partitioned)
    }
    frame = pl.DataFrame(sides)
    keep = pl.Series([True] * len(distinct))
    for each in of_folders:
        try:
            true = frame.select(build(each, settings).alias("x"))["x"]
        except pl.exceptions.PolarsError:
            continue  # it fails on a value: that is for the run to say
        keep &= true.fill_null(False)
    wanted = {row for row, stays in zip(distinct, keep, strict=True) if stays}
    return replace(scan, slices=tuple(each for each in scan.slices if each.values in wanted))


def _only(expr: Expr, named: set[Attr]) -> bool:
    return all(attr in named for attr in attributes(expr))


def tasks(scan: l.Scan, how: Cutting) -> list[tuple[l.FileSlice, ...]]:
    """The slices of each task: large files are cut, small ones put together.

    The largest go first, each to the current task until it is full, as Spark does. Slices of one
    task are in the order of the scan, and tasks in that of their first slices.
    """
    most, large = how.size(scan.slices), how.piece(scan.slices)
    pieces = [piece for each in scan.slices for piece in cut(each, large)]
    order = sorted(range(len(pieces)), key=lambda at: -pieces[at].bytes)
    found: list[list[int]] = []
    full = most + 1
    for at in order:
        size = max(0, pieces[at].bytes)
        if full + size > most:
            found.append([])
            full = 0
        found[-1].append(at)
        full += size + how.opening
    return [tuple(pieces[at] for at in places) for places in sorted(map(sorted, found))]


def cut(piece: l.FileSlice, most: int) -> Iterator[l.FileSlice]:
    """A slice as even pieces of about `most` bytes: runs of row groups, or of bytes."""
    count = -(-piece.bytes // most)
    if count <= 1 or (not piece.pieces and not piece.groups):
        yield piece
    elif piece.groups:
        yield from _runs(piece, count)
    else:
        start, stop = piece.pieces
        size = -(-(stop - start) // count)
        for at in range(start, stop, size):
            end = min(stop, at + size)
            yield replace(piece, pieces=(at, end), bytes=end - at)


_GRAIN = 4  # row groups are cut where they are larger than this part of a task


def _runs(piece: l.FileSlice, count: int) -> Iterator[l.FileSlice]:
    """Even runs of row groups: one is in the run in which its middle is. Of a file on this machine
    large groups are cut too: rows that are not wanted cost a reader next to nothing there, where
    over a network each task would fetch all of the group."""
    first = piece.pieces[0] if piece.pieces else 0
    total = sum(size for _, size in piece.groups)
    grain = total // (count * _GRAIN) if _here(piece.path) else 0
    runs: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    at = 0
    for group in _grains(piece.groups, grain):
        place = (2 * at + group[1]) * count // (2 * max(1, total))
        runs[min(place, count - 1)].append(group)
        at += group[1]
    for run in filter(None, runs):
        rows, size = (sum(each[part] for each in run) for part in (0, 1))
        yield replace(piece, rows=rows, bytes=size, pieces=(first, rows), groups=tuple(run))
        first += rows


def _here(path: str) -> bool:
    return "://" not in path or path.startswith("file:")


def _grains(groups: Sequence[tuple[int, int]], grain: int) -> Iterator[tuple[int, int]]:
    """The groups, those much larger than `grain` (if it is given) in parts of about that."""
    for rows, size in groups:
        parts = max(1, min(rows, round(size / grain))) if grain else 1
        for part in range(parts):
            some, bytes_ = (
                whole * (part + 1) // parts - whole * part // parts for whole in (rows, size)
            )
            yield some, bytes_


def joined(slices: Sequence[l.FileSlice]) -> list[l.FileSlice]:
    """Neighbouring pieces of one file as one, in order: the opposite of `cut`."""
    found: list[l.FileSlice] = []
    for each in slices:
        last = found[-1] if found else None
        if last is None or not _follows(last, each):
            found.append(each)
            continue
        rows, size = last.rows + each.rows, last.bytes + each.bytes
        groups, pieces = last.groups + each.groups, (last.pieces[0], rows)
        found[-1] = replace(last, rows=rows, bytes=size, pieces=pieces, groups=groups)
    return found


def _follows(one: l.FileSlice, two: l.FileSlice) -> bool:
    """Whether a run of row groups begins where another of the same file ends."""
    if one.path != two.path or not (one.pieces and two.pieces and one.groups):
        return False
    return one.pieces[0] + one.pieces[1] == two.pieces[0]
