"""What a task needs: where most of it is, and what has to be there before it can start."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from planner.blocks import Outputs
from planner.events import KeptPartition
from planner.kept import KeptTable, Key
from planner.placement import Seats
from planner.program import Fetch, Keep, Read, unfold
from planner.sources import Part
from planner.stages import Stage


@dataclass(frozen=True)
class Inputs:
    """What one task would need at one executor."""

    reads: dict[tuple[int, int], Part]
    fetches: dict[tuple[int, int], tuple[int, ...]]  # (step, partition) -> channels
    has: dict[Key, KeptPartition]
    absent: tuple[int, ...]  # exchanges that are not complete
    claims: tuple[Key, ...]  # kept partitions it would compute


class Needs:
    """Answers questions about a task from the tables of the scheduler; changes nothing."""

    def __init__(self, outputs: dict[int, Outputs], kept: KeptTable, seats: Seats) -> None:
        self.outputs = outputs
        self.kept = kept
        self.seats = seats

    def home(self, stage: Stage, partition: int) -> tuple[str | None, bool]:
        """The executor that has most of what the task reads, and whether it is bound to it."""
        if not any(isinstance(step, Keep) for step in stage.program):
            return self._home_by_bytes(stage, partition), False
        keys = [
            (step.persist, instance.partition)
            for instance in unfold(stage.program, partition, self.kept.has)
            if isinstance(step := stage.program[instance.step], Keep) and not instance.inputs
        ]
        best = self.kept.best_homes(keys, self.seats.nodes)
        return (best[partition % len(best)], True) if best else (None, False)

    def _home_by_bytes(self, stage: Stage, partition: int) -> str | None:
        """With several nodes: an executor on the one where what it fetches is, or shall be."""
        if len(set(self.seats.nodes.values())) < 2:
            return None
        for step in stage.program:
            if isinstance(step, Fetch) and not step.everywhere and step.width == stage.width:
                outputs = self.outputs.get(step.exchange)
                if outputs is not None and outputs.table and not outputs.absent:
                    node = self._node_of(outputs, step, partition)
                    there = [each for each, at in self.seats.nodes.items() if at == node]
                    return there[partition % len(there)] if there else None
        return None

    def _node_of(self, outputs: Outputs, step: Fetch, partition: int) -> str | None:
        """Blocks are written one for each node: channels of one block are read on one node, so
        that it travels once. Where there is one block a task: the node with most of the bytes."""
        channels = step.channels(partition)
        first = outputs.table[0]
        if first is not None and len(first.firsts) > 1 and channels:
            nodes = sorted(set(self.seats.nodes.values()))
            return nodes[(bisect_right(first.firsts, channels[0]) - 1) % len(nodes)]
        weights: dict[str, int] = {}
        for slice_ in outputs.slices(step.exchange, channels):
            if slice_.block.node is not None:
                node = slice_.block.node
                weights[node] = weights.get(node, 0) + slice_.length
        return max(weights, key=weights.__getitem__) if weights else None

    def inputs(self, stage: Stage, partition: int, executor: str | None) -> Inputs:
        """What the task needs at `executor` (None: at one that keeps nothing)."""
        node = self.seats.nodes.get(executor, "") if executor is not None else ""
        has: dict[Key, KeptPartition] = {}

        def find(persist: int, p: int) -> bool:
            if executor is None:
                return False
            kept = self.kept.find((persist, p), executor, node)
            if kept is not None:
                has[(persist, p)] = kept
            return kept is not None

        reads: dict[tuple[int, int], Part] = {}
        fetches: dict[tuple[int, int], tuple[int, ...]] = {}
        absent: dict[int, None] = {}
        claims: dict[Key, None] = {}
        for instance in unfold(stage.program, partition, find):
            step = stage.program[instance.step]
            at = (instance.step, instance.partition)
            if isinstance(step, Read):
                reads[at] = stage.sources[instance.step][instance.partition]
            elif isinstance(step, Fetch):
                fetches[at] = step.channels(instance.partition)
                outputs = self.outputs.get(step.exchange)
                if outputs is None or outputs.absent:
                    absent[step.exchange] = None
            elif isinstance(step, Keep) and instance.inputs and step.persist in self.kept.live:
                claims[(step.persist, instance.partition)] = None
        return Inputs(reads, fetches, has, tuple(absent), tuple(claims))
