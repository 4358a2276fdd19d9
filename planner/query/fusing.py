"""A join of which one side was written and is small: the other side need not move at all.

The stage of the join then does the work of the stage that would have moved the large side, on that
one's own partitions, and every task reads all of the small side:

    Fetch small ─┐                         Fetch small, all channels ─┐
    Fetch large ─┴ join     becomes     steps of the large side ─ few ┴ join
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.ops import Relational
from planner.partitioning import HashColumns
from planner.program import Apply, Beside, Fetch, Keep, Program, Step, Together
from planner.reads import ONE_TO_ONE, Groups, coalesce
from planner.stages import Change, Stage

Sizes = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class _Found:
    """The join at step `join` can do without moving what step `large` fetches."""

    join: int
    large: int
    small: tuple[int, ...]  # the steps that fetch the other sides
    bytes: int  # of those
    limit: int  # up to which it is done


def fused(stage: Stage, sizes: Sizes) -> Stage:
    """The stage without moving a side that is in `later`, if the other sides are small enough."""
    for at, step in enumerate(stage.program):
        if isinstance(step, Together) and isinstance(step.op, Relational):
            found = _fusible(stage, at, step, step.op, sizes)
            if found is not None and found.bytes <= found.limit:
                return _with_large_side(stage, found)
    return stage


def _fusible(stage: Stage, at: int, join: Together, op: Relational, sizes: Sizes) -> _Found | None:
    for late in op.later:
        large = join.children[late.side]
        fetch = stage.program[large]
        if not (isinstance(fetch, Fetch) and fetch.exchange in stage.later and fetch.view is None):
            continue
        others = [
            child
            for child, whole in zip(join.children, join.everywhere, strict=True)
            if child != large and not whole
        ]
        if not all(_measured(stage.program[other], sizes) for other in others):
            continue
        if any(len(_readers(stage.program, each)) > 1 for each in (large, *others)):
            continue
        filler = stage.parents[fetch.exchange]
        if filler.barrier or not isinstance(filler.output, HashColumns):
            continue
        if not _anywhere(stage.program, at):
            continue
        small = sum(sum(sizes[_exchange(stage, other)]) for other in others)
        return _Found(at, large, tuple(others), small, late.limit)
    return None


def _measured(step: Step, sizes: Sizes) -> bool:
    return isinstance(step, Fetch) and step.view is None and step.exchange in sizes


def _exchange(stage: Stage, at: int) -> int:
    step = stage.program[at]
    assert isinstance(step, Fetch)
    return step.exchange


def _anywhere(program: Program, at: int) -> bool:
    """Whether it makes no difference in which partition a row of this step is: there is nothing
    more in the stage that needs some of them together, nor anything that is kept."""
    while at != len(program) - 1:
        readers = _readers(program, at)
        reader = program[readers[0]]
        if len(readers) > 1 or not isinstance(reader, Apply):
            return False
        if _is_dealing(reader):
            return True
        by_row = all(isinstance(op, Relational) and 0 in op.splits for op in reader.ops)
        if not by_row or reader.reads is not ONE_TO_ONE:
            return False
        at = readers[0]
    return True


def _is_dealing(step: Apply) -> bool:
    """Whether it is a step that `_with_large_side` put there: the partitions of a large side, just
    dealt to tasks."""
    return not step.ops and isinstance(step.reads, Groups)


def _with_large_side(stage: Stage, found: _Found) -> Stage:
    """The stage with the program of the large side's stage in the place of its Fetch."""
    fetch, join = stage.program[found.large], stage.program[found.join]
    assert isinstance(fetch, Fetch) and isinstance(join, Together)
    filler = stage.parents[fetch.exchange]
    start, more = found.large, len(filler.program)

    def outer(at: int) -> int:
        return at + more if at >= start else at

    def inner(at: int) -> int:
        return at + start

    program: list[Step] = []
    for at, step in enumerate(stage.program):
        if at == found.large:
            program += [_renumbered(each, inner) for each in filler.program]
            reads = _dealt(filler.width, fetch.width)
            program.append(Apply(fetch.width, start + more - 1, (), (), reads))
        elif at in found.small:
            assert isinstance(step, Fetch)
            program.append(replace(step, width=1, view=(tuple(range(step.width)),)))
        elif at == found.join:
            pairs = zip(join.children, join.everywhere, strict=True)
            whole = tuple(each or child in found.small for child, each in pairs)
            program.append(_renumbered(replace(join, everywhere=whole), outer))
        else:
            program.append(_renumbered(step, outer))
    parents = {at: each for at, each in stage.parents.items() if at != fetch.exchange}
    return replace(
        stage,
        program=tuple(program),
        parents={**parents, **filler.parents},
        sources={
            **{outer(at): parts for at, parts in stage.sources.items()},
            **{inner(at): parts for at, parts in filler.sources.items()},
        },
        later=stage.later - {fetch.exchange} | filler.later,
        changes=(*stage.changes, _told(stage, found, fetch.exchange)),
    )


def _told(stage: Stage, found: _Found, gone: int) -> Change:
    size = bytes_in_words(found.bytes)
    words = (
        f"one side of the join has only {size}: every task reads all of it, and the other side is "
        "not shuffled"
    )
    whole = tuple(_exchange(stage, at) for at in found.small)
    return Change(words, stage.width, (gone,), whole)


def _dealt(partitions: int, tasks: int) -> Groups:
    """Neighbouring partitions for each of some tasks; none for the last ones if they are few."""
    groups = coalesce(partitions, tasks).groups if partitions else ()
    return Groups((*groups, *[()] * (tasks - len(groups))))


def _readers(program: Program, at: int) -> list[int]:
    """The steps that read a step, each as often as it does."""
    return [place for place, step in enumerate(program) for child in _children(step) if child == at]


def _children(step: Step) -> Sequence[int]:
    match step:
        case Apply(child=child) | Keep(child=child):
            return (child,)
        case Together(children=children) | Beside(children=children):
            return children
    return ()


def _renumbered(step: Step, to: Callable[[int], int]) -> Step:
    """The step, its inputs at other places."""
    match step:
        case Apply(child=child) | Keep(child=child):
            return replace(step, child=to(child))
        case Together(children=children) | Beside(children=children):
            return replace(step, children=tuple(map(to, children)))
    return step


def bytes_in_words(size: int) -> str:
    """
    >>> bytes_in_words(900), bytes_in_words(1536)
    ('900 B', '1.5 KiB')
    """
    number = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            break
        number /= 1024
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
