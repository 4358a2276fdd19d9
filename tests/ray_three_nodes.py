"""Run by tests/test_ray_backend.py in a process of its own: three Ray nodes, one is lost hard.

Prints one line of JSON: what the jobs answered, what the lost node held, and what ran again.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from operator import add
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from minispark.session import Session
from planner import events as ev
from planner.ops import Combine, Map, MapPartitions
from planner.partitioning import Hash
from planner.plan import Exchange, Narrow, Node, Source
from planner.sources import RangePart

MAPS = 9


class Starts:
    """Counts the starts of tasks by (stage, partition)."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int]] = []

    def on_event(self, notice: ev.Notice) -> None:
        if isinstance(notice, ev.TaskStarted):
            self.all.append((notice.task.stage, notice.task.partition))

    def take(self) -> list[tuple[int, int]]:
        found, self.all = self.all, []
        return found


def counts(session: Session, plan: Node) -> dict[int, int]:
    return {row[0]: row[1] for _, rows in session.run(plan) for row in rows}


def up(session: Session) -> list[str]:
    return [name for name, each in session.executors().items() if each["pid"]]


def until_open(gate: Path) -> Any:
    """A function that gives its rows when the file `gate` is there."""

    def wait(index: int, rows: Any) -> Any:
        found = list(rows)
        end = time.monotonic() + 60
        while not gate.exists() and time.monotonic() < end:
            time.sleep(0.05)
        return found

    return wait


def main(folder: str) -> dict[str, Any]:
    # Ray tries the copies on the lost node first, and others after ten seconds unless told so.
    os.environ["RAY_object_manager_pull_timeout_ms"] = "1000"  # noqa: SIM112
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    victim, _ = cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)
    session = Session(cluster.address, {})
    starts = Starts()
    session.add_listener(starts)
    source = Source(tuple(RangePart(at * 100, (at + 1) * 100, 1) for at in range(MAPS)))
    pairs = Narrow(Narrow(source, Map(lambda n: (n % 10, 1))), Combine(None, add, add, False))
    exchange = Exchange(pairs, Hash(4))
    plan = Narrow(exchange, Combine(None, add, add, True))
    told: dict[str, Any] = {"first": counts(session, plan)}
    told["maps"] = sorted(partition for stage, partition in starts.take() if stage == 0)
    told["nodes"] = len({each["node"] for each in session.executors().values()})
    table = session._executors._objects._objects  # noqa: SLF001
    places = ray.experimental.get_object_locations([ref for ref, _ in table.values()])
    told["in_store"] = all(place["node_ids"] for place in places.values())
    told["blocks"] = len(places)
    held = session._loop.scheduler.on_node.get(victim.node_id, ())
    told["held"] = sorted(partition for _, partition in held)
    # A second job fetches the same blocks; its tasks wait in the middle while the node goes.
    gate = Path(folder) / "gate"
    slow = Narrow(plan, MapPartitions(until_open(gate)))
    answer: dict[int, int] = {}
    job = threading.Thread(target=lambda: answer.update(counts(session, slow)))
    job.start()
    while len(starts.all) < 3:
        time.sleep(0.05)
    cluster.remove_node(victim, allow_graceful=False)
    removed = time.monotonic()
    gate.touch()
    job.join(60)
    told["seconds"] = time.monotonic() - removed
    told["second"] = answer
    told["maps_again"] = sorted(partition for stage, partition in starts.take() if stage == 0)
    told["third"] = counts(session, plan)
    told["maps_third"] = [partition for stage, partition in starts.take() if stage == 0]
    told["driver_bytes"] = session._executors.driver_bytes
    told["executors"] = len(session.executors())
    cluster.add_node(num_cpus=1)
    end = time.monotonic() + 30
    while len(up(session)) < 3 and time.monotonic() < end:
        time.sleep(0.1)
    told["executors_later"] = len(up(session))
    told["fourth"] = counts(session, plan)
    session.stop()
    cluster.shutdown()
    return told


if __name__ == "__main__":
    logging.getLogger("ray").setLevel(logging.ERROR)
    result = main(sys.argv[1])
    print("RESULT " + json.dumps(result))
