"""Which kept partitions are where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner.events import KeptPartition

Key = tuple[int, int]  # (persist id, partition)


class KeptTable:
    """Homes of kept partitions. A home is an executor, or a node for blocks it can share."""

    def __init__(self) -> None:
        self.live: set[int] = set()
        self.homes: dict[Key, dict[str, KeptPartition]] = {}
        self.at: dict[str, set[Key]] = {}
        self.cost: dict[int, float] = {}  # most seconds that computing a partition has taken
        self.copied: set[int] = set()  # datasets kept in several copies

    def put(self, kept: KeptPartition, seconds: float = 0.0) -> None:
        """A copy is there; the task that made it took so many seconds."""
        self.cost[kept.persist] = max(seconds, self.cost.get(kept.persist, 0.0))
        if kept.wanted_copies > 1:
            self.copied.add(kept.persist)
        key = (kept.persist, kept.partition)
        self.homes.setdefault(key, {})[kept.home] = kept
        self.at.setdefault(kept.home, set()).add(key)

    def drop(self, key: Key, home: str) -> bool:
        """Forget one copy; True if it was the last one."""
        homes = self.homes.get(key)
        if homes is None or home not in homes:
            return False
        del homes[home]
        self._leave(key, home)
        if homes:
            return False
        del self.homes[key]
        return True

    def lose_home(self, home: str) -> list[Key]:
        """Forget every copy at `home`; the keys of which none is left."""
        return [key for key in sorted(self.at.get(home, ())) if self.drop(key, home)]

    def release(self, persist: int) -> list[Any]:
        """Forget a dataset; how to find its copies that belong to a node."""
        self.live.discard(persist)
        self.copied.discard(persist)
        self.cost.pop(persist, None)
        shared = []
        for key in [key for key in self.homes if key[0] == persist]:
            for home, kept in self.homes.pop(key).items():
                self._leave(key, home)
                if kept.shared is not None:
                    shared.append(kept.shared)
        return shared

    def find(self, key: Key, executor: str, node: str) -> KeptPartition | None:
        """The copy that a task on `executor` can use."""
        homes = self.homes.get(key)
        if not homes:
            return None
        return homes.get(executor) or homes.get(node)

    def has(self, persist: int, partition: int) -> bool:
        return (persist, partition) in self.homes

    def best_homes(self, keys: Iterable[Key], nodes: dict[str, str]) -> list[str]:
        """The executors at which most of `keys` can be used; `nodes` maps executors to nodes."""
        votes: dict[str, int] = {}
        for key in keys:
            homes = self.homes.get(key, {})
            for executor, node in nodes.items():
                if executor in homes or node in homes:
                    votes[executor] = votes.get(executor, 0) + 1
        most = max(votes.values(), default=0)
        return [executor for executor, count in votes.items() if count == most]

    def _leave(self, key: Key, home: str) -> None:
        keys = self.at[home]
        keys.discard(key)
        if not keys:
            del self.at[home]

    def describe(self) -> dict[str, Any]:
        """Sizes, for leak checks."""
        return {
            "live": len(self.live),
            "kept": len(self.homes),
            "homes": len(self.at),
            "cost": len(self.cost),
            "copied": len(self.copied),
        }
