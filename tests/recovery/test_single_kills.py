"""Every single-kill history of a small job, on virtual workers.

While each task passes each point, each worker dies once. A virtual worker is a node of its own, so
it takes its kept partitions and its shuffle blocks with it. The answer must not change, and what
runs again must be exactly what the history makes necessary.
"""

from __future__ import annotations

from operator import add

import pytest

from executors.faultbook import POINTS, Injection
from minispark.session import Session
from planner import events as ev
from planner.levels import StorageLevel
from planner.ops import Combine, Map
from planner.partitioning import Hash
from planner.plan import Exchange, Narrow, Node, Source
from planner.sources import RangePart

WORKERS = 3
MAPS, REDUCERS = 4, 3


class Recorder:
    """Notices, in order."""

    def __init__(self) -> None:
        self.notices: list[ev.Notice] = []

    def on_event(self, notice: ev.Notice) -> None:
        self.notices.append(notice)

    def of(self, kind: type) -> list:
        return [notice for notice in self.notices if isinstance(notice, kind)]


def plan_of(session: Session) -> Node:
    source = Source(tuple(RangePart(at * 25, (at + 1) * 25, 1) for at in range(MAPS)))
    pairs = Narrow(source, Map(lambda n: (n % 7, n)))
    kept = session.persist(pairs, StorageLevel.MEMORY_ONLY)
    partial = Narrow(kept, Combine(None, add, add, False))
    return Narrow(Exchange(partial, Hash(REDUCERS)), Combine(None, add, add, True))


def answer_of(session: Session, plan: Node) -> dict[int, int]:
    return dict(row for _, rows in session.run(plan) for row in rows)


EXPECTED = {key: sum(n for n in range(100) if n % 7 == key) for key in range(7)}


def histories() -> list[tuple[str, int, str, int]]:
    found = []
    for stage, partitions in (("map", MAPS), ("reduce", REDUCERS)):
        for partition in range(partitions):
            for point in POINTS:
                if point == "in fetch" and stage == "map":
                    continue  # map tasks fetch nothing
                if point in ("in cache put", "after cache put") and stage == "reduce":
                    continue  # reducers keep nothing
                found += [(stage, partition, point, victim) for victim in range(WORKERS)]
    return found


@pytest.mark.parametrize(("stage", "partition", "point", "victim"), histories())
def test_a_single_kill(stage: str, partition: int, point: str, victim: int) -> None:
    session = Session(f"inline[{WORKERS}]", {})
    recorder = Recorder()
    session.add_listener(recorder)
    try:
        plan = plan_of(session)
        injection = Injection(
            "kill",
            point,
            1,
            lambda launch: (
                (launch.stage.output is not None) == (stage == "map")
                and launch.task.partition == partition
                and launch.task.attempt == 0
            ),
            detail=f"inline-{victim}",
        )
        session.faults.add(injection)
        assert answer_of(session, plan) == EXPECTED
        assert injection.left == 0, "the token was not spent"
        assert [down.executor for down in recorder.of(ev.ExecutorRemoved)] == [f"inline-{victim}"]
        again = ran_again(recorder)
        assert again == must_run_again(recorder, f"inline-{victim}", stage, point)
        assert len(again) < MAPS + REDUCERS
        # the session goes on as if nothing had happened
        recorder.notices.clear()
        assert answer_of(session, plan) == EXPECTED
        assert not recorder.of(ev.ExecutorRemoved)
    finally:
        session.stop()


def ran_again(recorder: Recorder) -> set[tuple[int, int]]:
    starts: dict[tuple[int, int], int] = {}
    for start in recorder.of(ev.TaskStarted):
        at = (start.task.stage, start.task.partition)
        starts[at] = starts.get(at, 0) + 1
    return {at for at, count in starts.items() if count > 1}


def must_run_again(recorder: Recorder, victim: str, firing: str, point: str) -> set:
    """Worked out from what had happened before the kill, and from nothing after it.

    The victim's running task; reducers elsewhere that had not read their blocks, if the victim
    held any; and the maps the victim had finished, if any reducer has still to read.
    """
    notices = recorder.notices
    died = next(at for at, notice in enumerate(notices) if isinstance(notice, ev.ExecutorRemoved))
    done: dict[tuple[int, int], str] = {}
    running: dict[tuple[int, int], str] = {}
    for notice in notices[:died]:
        if isinstance(notice, ev.TaskStarted):
            running[(notice.task.stage, notice.task.partition)] = notice.executor
        elif isinstance(notice, ev.TaskEnded) and notice.failure is None:
            at = (notice.task.stage, notice.task.partition)
            done[at] = running.pop(at)
    started = next(notice for notice in notices if isinstance(notice, ev.JobStarted))
    maps, reduces = sorted(started.stages)
    current = next(iter(running))  # virtual workers run one after the other, in this order
    assert (current[0] == maps) == (firing == "map")
    had_read = {current} if firing == "reduce" and point != "in fetch" else set()
    lost_maps = {at for at, executor in done.items() if at[0] == maps and executor == victim}
    again = {at for at, executor in running.items() if executor == victim}
    to_read = {at for at in running if at[0] == reduces and at not in had_read}
    if lost_maps:
        again |= to_read
    if firing == "map" or any(at[0] == reduces for at in again | to_read):
        again |= lost_maps
    return again
