"""Plans that change while they run, by the sizes that were measured.

A rule is asked for a stage when what the stage reads is written (`_adapted` in
planner/scheduling/asking.py). What was written stays; what a task reads of it is a view: several
small channels together, one part of a channel that is much larger than the others, or all of it
(planner/query/fusing.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.goals import Goals
from planner.ops import Relational
from planner.partitioning import ChannelColumn, HashColumns
from planner.program import Apply, Fetch, Step, Together
from planner.query.fusing import bytes_in_words, fused
from planner.reads import ONE_TO_ONE
from planner.stages import Change, Stage

Sizes = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class Task:
    """What one task reads: `channels` of every exchange; of the one that step `split` fetches, only
    the share (part, parts)."""

    channels: tuple[int, ...]
    split: int = -1
    share: tuple[int, int] = (0, 1)


def by_size(stage: Stage, sizes: Sizes) -> Stage:
    """The rule: small sides of joins go to everyone, and every task gets about as much to read."""
    goals = goals_of(stage)
    if goals is None:
        return stage
    if stage.later:
        return fused(stage, sizes)
    return _evened(stage, sizes, goals)


def goals_of(stage: Stage) -> Goals | None:
    """What the user's settings ask for; None if the stage shall stay as it is."""
    for step in stage.program:
        ops = step.ops if isinstance(step, Apply) else ()
        for op in (step.op,) if isinstance(step, Together) else ops:
            if isinstance(op, Relational) and op.goals is not None:
                return op.goals
    return None


def _evened(stage: Stage, sizes: Sizes, goals: Goals) -> Stage:
    fetches = {
        at: step
        for at, step in enumerate(stage.program)
        if isinstance(step, Fetch) and not step.everywhere
    }
    if stage.output is None or not fetches or not _may_change(stage, tuple(fetches.values())):
        return stage
    measured = {at: sizes[step.exchange] for at, step in fetches.items()}
    tasks = _tasks(stage, measured, goals)
    if [task.channels for task in tasks] == [(at,) for at in range(stage.width)]:
        return stage
    program = tuple(_viewed(at, step, tasks) for at, step in enumerate(stage.program))
    changes = (*stage.changes, _told(stage, measured, tasks))
    return replace(stage, program=program, width=len(tasks), changes=changes)


def _told(stage: Stage, measured: Mapping[int, Sequence[int]], tasks: Sequence[Task]) -> Change:
    """The change in words."""
    whole = bytes_in_words(sum(map(sum, measured.values())))
    words = [f"{stage.width} partitions of {whole} in all are read by {len(tasks)} tasks"]
    for task in tasks:
        if task.split >= 0 and not task.share[0]:
            (channel,) = task.channels
            size = bytes_in_words(measured[task.split][channel])
            words.append(f"partition {channel}, of {size}, by {task.share[1]} of them")
    return Change("; ".join(words), len(tasks))


def _tasks(stage: Stage, measured: Mapping[int, Sequence[int]], goals: Goals) -> list[Task]:
    channels = [sum(each) for each in zip(*measured.values(), strict=True)]
    goal = max(goals.least, min(goals.most, sum(channels) // max(1, goals.tasks)))
    tasks: list[Task] = []
    groups = merged(channels, goal) if goals.merges else [(at,) for at in range(len(channels))]
    for group in groups:
        split = _too_large(stage, measured, group, goals) if len(group) == 1 else None
        if split is None:
            tasks.append(Task(group))
            continue
        at, parts = split
        tasks += [Task(group, at, (part, parts)) for part in range(parts)]
    return tasks


def merged(channels: Sequence[int], goal: int) -> tuple[tuple[int, ...], ...]:
    """Neighbouring channels in groups of up to `goal` bytes.

    >>> merged([1, 2, 9, 1, 1, 1], 4)
    ((0, 1), (2,), (3, 4, 5))
    """
    groups: list[list[int]] = []
    weight = 0
    for channel, size in enumerate(channels):
        if not groups or weight + size > goal:
            groups.append([])
            weight = 0
        groups[-1].append(channel)
        weight += size
    return tuple(map(tuple, groups))


def _too_large(
    stage: Stage, measured: Mapping[int, Sequence[int]], group: tuple[int, ...], goals: Goals
) -> tuple[int, int] | None:
    """(the step whose rows are to be split, into how many parts) of a channel that is too large."""
    (channel,) = group
    found = None
    if not goals.splits:
        return None
    for at in _splittable(stage):
        size = measured[at][channel] if at in measured else 0
        usual = sorted(measured[at])[len(measured[at]) // 2] if at in measured else 0
        if size > goals.skewed and size > goals.factor * usual:
            fetch = stage.program[at]
            assert isinstance(fetch, Fetch)
            parts = min(-(-size // max(1, goals.most)), stage.parents[fetch.exchange].width)
            if parts > 1 and (found is None or size > measured[found[0]][channel]):
                found = (at, parts)
    return found


def _splittable(stage: Stage) -> list[int]:
    """The steps that fetch rows which may be shared among tasks."""
    *others, last = stage.program
    if not all(isinstance(step, Fetch) for step in others):
        return []
    match last:
        case Together(op=Relational(splits=splits)):
            return [last.children[side] for side in splits]
        case Apply(ops=(Relational(splits=splits),)):
            return [last.child] if 0 in splits else []
    return []


def _may_change(stage: Stage, fetches: Sequence[Fetch]) -> bool:
    """Whether a partition of the stage is made of the channels of its number and of nothing else,
    and nobody asked for so many partitions."""
    if any(each.width != stage.width or each.view is not None for each in fetches):
        return False
    outputs = [stage.parents[each.exchange].output for each in fetches]
    if not all(isinstance(output, HashColumns | ChannelColumn) for output in outputs):
        return False
    return all(_by_place(step, stage.width) for step in stage.program)


def _by_place(step: Step, width: int) -> bool:
    match step:
        case Fetch():
            return True
        case Apply():
            tables = all(isinstance(op, Relational) for op in step.ops)
            return tables and step.reads is ONE_TO_ONE and step.width == width
        case Together():
            return isinstance(step.op, Relational) and step.width == width
    return False


def _viewed(at: int, step: Step, tasks: Sequence[Task]) -> Step:
    """A step as `tasks` run it."""
    if not isinstance(step, Fetch):
        return replace(step, width=len(tasks))
    if step.everywhere:
        return step
    shares = tuple(task.share if task.split == at else (0, 1) for task in tasks)
    view = tuple(task.channels for task in tasks)
    return replace(step, width=len(tasks), view=view, shares=shares)
