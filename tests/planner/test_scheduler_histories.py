"""Random histories: whatever happens to a few jobs, they end, and nothing is left of them.

The referee is `by_hand.World`: it refuses two attempts of one partition at a time, a launch to a
busy or dead executor, a launch whose inputs are absent, a block freed twice, an answer twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from by_hand import (
    World,
    at_barrier,
    everywhere,
    joined,
    mapped,
    shape,
    shuffled,
    source,
    zipped,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from planner.events import ExecutorDown, Job, Launch
from planner.failures import UserFailure
from planner.levels import StorageLevel
from planner.ops import Identity
from planner.plan import Narrow, Node, Union, is_broadcast
from planner.program import Apply, Fetch
from planner.query.adaptive import by_size
from planner.reads import ONE_TO_ONE, coalesce
from planner.scheduler import Adapt, Scheduler, unchanged
from planner.stages import Stage

LEVELS = (StorageLevel.MEMORY_ONLY, StorageLevel.MEMORY_ONLY_2)
anything = st.integers(0, 1 << 16)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Node, list[Node]]:
    """A plan of at most five stages, and all nodes that were made on the way to it."""
    pool: list[Node] = [mapped(source(draw(st.integers(1, 3)))) for _ in range(2)]
    exchanges = 0
    for _ in range(draw(st.integers(1, 6))):
        one, other = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        kind = draw(
            st.sampled_from(
                ["map", "shuffle", "shuffle", "zip", "union", "pack", "meet", "all", "join", "join"]
            )
        )
        if kind in ("shuffle", "all") and exchanges < 3:
            exchanges += 1
            wide = shuffled(one, draw(st.integers(1, 3))) if kind == "shuffle" else everywhere(one)
            pool.append(wide if kind == "shuffle" else zipped(other, wide))
        elif kind == "join" and exchanges < 3:
            exchanges += 2
            pool.append(joined(one, other, draw(st.integers(1, 3)), draw(st.sampled_from([0, 60]))))
        elif kind == "zip" and one.width == other.width:
            pool.append(zipped(one, other))
        elif kind == "union" and one.width + other.width <= 4:
            pool.append(Union((one, other)))
        elif kind == "pack":
            pool.append(Narrow(one, Identity(), coalesce(one.width, 1)))
        elif kind == "meet":
            pool.append(at_barrier(one))
        else:
            pool.append(mapped(one))
    return pool[-1], [node for node in pool if not is_broadcast(node)]


def merged(stage: Stage, sizes: dict[int, tuple[int, ...]]) -> Stage:
    """The last two channels become one, where the stage does nothing but read one exchange."""
    fetch, *others = stage.program
    whole = all(isinstance(step, Apply) and step.reads is ONE_TO_ONE for step in others)
    if stage.exchange is None or stage.width < 2 or not isinstance(fetch, Fetch) or not whole:
        return stage
    width = stage.width - 1
    view = (*((at,) for at in range(width - 1)), (width - 1, width))
    program = (replace(fetch, width=width, view=view), *(replace(s, width=width) for s in others))
    return replace(stage, program=program, width=width)


class Histories(RuleBasedStateMachine):
    """Jobs come and go, executors and blocks, too; the pretend world answers as it can."""

    @initialize(
        executors=st.integers(1, 3),
        one_node=st.booleans(),
        failures=st.integers(1, 3),
        losses=st.sampled_from([2, 4, 100]),
        adapt=st.sampled_from([unchanged, merged, by_size, by_size]),
    )
    def begin(
        self, executors: int, one_node: bool, failures: int, losses: int, adapt: Adapt
    ) -> None:
        nodes = {f"e{at}": "n" if one_node else f"n{at}" for at in range(executors)}
        self.world = World(nodes, failures, losses, adapt)
        self.plans: list[Node] = []
        self.nodes: list[Node] = []
        self.dead: list[Launch] = []  # tasks whose executor is gone: they may answer late
        self.coming = 0  # replacements under way
        self.named = executors

    # ---- what users do ---------------------------------------------------------------------------

    @rule(plan=plans(), keeps=st.lists(st.tuples(anything, st.sampled_from(LEVELS)), max_size=3))
    def plan(self, plan: tuple[Node, list[Node]], keeps: list[tuple[int, StorageLevel]]) -> None:
        root, nodes = plan
        for at, level in keeps:
            node = nodes[at % len(nodes)]
            if node.id not in self.world.splitter.kept:
                self.world.keep(node, level)
        self.plans.append(root)
        self.nodes += nodes
        self.world.ask(root)

    @precondition(lambda self: self.plans)
    @rule(at=anything, some=st.booleans())
    def ask(self, at: int, some: bool) -> None:
        plan = self.plans[at % len(self.plans)]
        barrier = self.world.splitter.result_stage(plan).barrier
        first = range((plan.width + 1) // 2)
        self.world.ask(plan, first if some and not barrier else None)

    @precondition(lambda self: self.live())
    @rule(at=anything)
    def cancel(self, at: int) -> None:
        self.world.cancel(self.live()[at % len(self.live())])

    @precondition(lambda self: self.world.splitter.kept)
    @rule(at=anything)
    def unpersist(self, at: int) -> None:
        kept = [node for node in self.nodes if node.id in self.world.splitter.kept]
        self.world.unpersist(kept[at % len(kept)])

    @precondition(lambda self: self.nodes)
    @rule(at=anything, level=st.sampled_from(LEVELS))
    def keep(self, at: int, level: StorageLevel) -> None:
        node = self.nodes[at % len(self.nodes)]
        if node.id not in self.world.splitter.kept:
            self.world.keep(node, level)

    # ---- what tasks do ---------------------------------------------------------------------------

    def able(self) -> list[Launch]:
        """Tasks that do not wait at a barrier."""
        world = self.world
        return [t for n, t in world.tasks.items() if n not in world.meeting or n in world.cancelled]

    @precondition(lambda self: self.able())
    @rule(at=anything)
    def answer(self, at: int) -> None:
        self.world.answer(self.able()[at % len(self.able())])

    @precondition(lambda self: self.able())
    @rule(at=anything)
    def answer_more(self, at: int) -> None:
        """Answers are what happens most."""
        for turn in range(3):
            if able := self.able():
                self.world.answer(able[(at + turn) % len(able)])

    @precondition(lambda self: self.able())
    @rule(at=anything)
    def end_well_though_cancelled(self, at: int) -> None:
        launch = self.able()[at % len(self.able())]
        self.world.cancelled.discard(launch.task.number)
        self.world.answer(launch)

    @precondition(lambda self: self.world.wanted())
    @rule(at=anything, retry=st.booleans())
    def fail(self, at: int, retry: bool) -> None:
        launch = self.world.wanted()[at % len(self.world.wanted())]
        failure = UserFailure("ValueError: no", retry=retry)
        self.world.fail(launch.stage, launch.task.partition, failure)

    @precondition(lambda self: self.able())
    @rule(at=anything, which=anything)
    def answer_and_drop(self, at: int, which: int) -> None:
        """A task makes room by dropping something its executor kept, or something it kept."""
        world = self.world
        launch = self.able()[at % len(self.able())]
        if world.missing(launch) is not None:
            world.answer(launch)
            return
        keys = sorted({*world.kept.get(launch.executor, ()), *world.computed(launch)})
        dropped = (keys[which % len(keys)],) if keys else ()
        world.feed(world.success(launch, dropped=dropped))

    @precondition(lambda self: self.callers())
    @rule(at=anything)
    def call(self, at: int) -> None:
        launch = self.callers()[at % len(self.callers())]
        self.world.call(launch.stage, launch.task.partition, "hello")

    def callers(self) -> list[Launch]:
        """Barrier tasks that may call now."""
        meeting = self.world.meeting
        return [t for t in self.world.wanted() if t.peers and t.task.number not in meeting]

    # ---- what goes wrong -------------------------------------------------------------------------

    @precondition(lambda self: self.world.nodes)
    @rule(at=anything, node_lost=st.booleans(), replaced=st.booleans())
    def lose_executor(self, at: int, node_lost: bool, replaced: bool) -> None:
        world = self.world
        executor = list(world.nodes)[at % len(world.nodes)]
        self.dead += [task for task in world.tasks.values() if task.executor == executor]
        self.coming += replaced
        world.down(executor, node_lost, replaced)

    @precondition(lambda self: self.coming)
    @rule(at=st.integers(0, 2))
    def come_up(self, at: int) -> None:
        self.coming -= 1
        self.named += 1
        self.world.up(f"e{self.named}", f"n{at}")

    @precondition(lambda self: self.coming)
    @rule()
    def never_come_up(self) -> None:
        self.coming -= 1
        self.world.feed(ExecutorDown("?", "could not be started", replaced=False))

    @precondition(lambda self: self.dead)
    @rule(at=anything)
    def answer_late(self, at: int) -> None:
        self.world.feed(self.world.success(self.dead.pop(at % len(self.dead))))

    @precondition(lambda self: self.world.blocks)
    @rule(at=anything)
    def lose_block(self, at: int) -> None:
        blocks = sorted(self.world.blocks, key=lambda block: str(block.where))
        self.world.blocks.remove(blocks[at % len(blocks)])

    @precondition(lambda self: any(self.world.kept.values()))
    @rule(at=anything)
    def lose_kept(self, at: int) -> None:
        there = sorted((home, key) for home, keys in self.world.kept.items() for key in keys)
        self.world.evict(*there[at % len(there)])

    @precondition(lambda self: self.world.copies)
    @rule(at=anything, well=st.booleans())
    def copied(self, at: int, well: bool) -> None:
        copies = self.world.copies
        self.world.copied(copies[at % len(copies)].executor, well)

    # ---- what must hold --------------------------------------------------------------------------

    def live(self) -> list[Job]:
        return [job for job in self.world.jobs.values() if job.id not in self.world.ended]

    @invariant()
    def somebody_works_while_somebody_waits(self) -> None:
        if hasattr(self, "world") and self.live():
            waits_for = self.world.tasks or self.world.copies or self.coming
            assert waits_for, "a job waits, and nothing is under way that could end it"

    @invariant()
    def claims_are_held_by_tasks(self) -> None:
        if hasattr(self, "world"):
            scheduler = self.world.scheduler
            held = {*scheduler.running, *scheduler.held}
            assert set(scheduler.computing.values()) <= held

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        while self.coming:
            self.come_up(0)
        world.finish(limit=2_000)
        world.close(*self.plans)
        assert not world.scheduler.seats.waiting()
        scheduler: Any = Scheduler(world.scheduler.limits, world.scheduler.adapt)
        again = [shape(scheduler.handle(event)) for event in world.events]
        assert again == [shape(actions) for actions in world.answers], "a replay differs"


def test_random_histories_end_and_leave_nothing() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
