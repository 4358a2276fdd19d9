"""Plans that are kept: a query that contains one reads it instead of computing it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from minispark.session import Session
from planner.levels import StorageLevel
from planner.plan import Node, Persist
from planner.query import logical as l
from planner.query.fingerprint import fingerprint, fingerprints
from planner.query.statistics import Sizes


@dataclass(frozen=True, eq=False)
class Cached:
    """A kept plan: `node` is the physical one that is kept at `level`, of about `rows` rows."""

    plan: l.Plan
    node: Persist
    level: StorageLevel
    rows: int


class CachedPlans:
    """The kept plans of a session, by what they compute."""

    def __init__(self, session: Session) -> None:
        self._session: Session = weakref.proxy(session)  # whose cache this is: it lives longer
        self._cached: dict[str, Cached] = {}
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._cached)

    def keep(self, plan: l.Plan, level: StorageLevel, lower: Callable[[l.Plan], Node]) -> bool:
        """Keep what `plan` computes, from its first use on; False if it is kept already."""
        name = fingerprint(plan)
        with self._lock:
            if name in self._cached:
                return False
            node = self._session.persist(lower(self.used(plan)), level)
            self._cached[name] = Cached(plan, node, level, round(Sizes().rows(plan)))
            return True

    def find(self, plan: l.Plan) -> Cached | None:
        """What is kept of a plan."""
        return self._cached.get(fingerprint(plan)) if self._cached else None

    def forget(self, plan: l.Plan, blocking: bool = False) -> bool:
        """Keep it no longer; whether it was kept."""
        name = fingerprint(plan)
        with self._lock:
            if name not in self._cached:
                return False
            gone = self._cached.pop(name)
            self._session.unpersist(gone.node, blocking)
            return True

    def clear(self) -> None:
        """Keep nothing any longer."""
        with self._lock:
            for each in list(self._cached.values()):
                self.forget(each.plan)

    def used(self, plan: l.Plan) -> l.Plan:
        """The plan with the largest parts that are kept read, not computed."""
        if not self._cached:
            return plan
        names = fingerprints(plan)
        done: dict[int, l.Plan] = {}
        todo = [(plan, False)]
        while todo:
            node, ready = todo.pop()
            if id(node) in done:
                continue
            if ready:
                children = tuple(done[id(child)] for child in node.children)
                same = all(a is b for a, b in zip(children, node.children, strict=True))
                done[id(node)] = node if same else node.with_children(children)
                continue
            found = self._cached.get(names[id(node)])
            if found is not None and not isinstance(node, l.Known | l.Hint):
                done[id(node)] = l.Rows(node.output, found.node, found.rows, site=node.site)
                continue
            todo.append((node, True))
            todo.extend((child, False) for child in node.children)
        return done[id(plan)]


_of_session: WeakKeyDictionary[Session, CachedPlans] = WeakKeyDictionary()


def cached_plans(session: Session) -> CachedPlans:
    """The kept plans of a session; all SparkSessions of one context share them."""
    found = _of_session.get(session)
    if found is None:
        found = _of_session[session] = CachedPlans(session)
        session.at_stop.append(found.clear)  # kept nodes know their session
    return found
