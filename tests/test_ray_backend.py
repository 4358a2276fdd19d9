"""The Ray back end on a real Ray: blocks, deaths, cancels, barriers, and what it leaves behind."""

from __future__ import annotations

import glob
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from operator import add
from pathlib import Path
from typing import Any

import pytest

from executors.faultbook import Injection
from executors.runtime import TaskCancelled
from executors.task_context import BarrierTaskContext, TaskContext
from minispark.running import JobCancelled
from minispark.session import Session
from planner import events as ev
from planner.levels import StorageLevel
from planner.ops import Combine, Count, Map, MapPartitions
from planner.partitioning import Hash
from planner.plan import Exchange, Narrow, Node, Source
from planner.sources import RangePart

pytest.importorskip("ray")

ROOT = str(Path(__file__).resolve().parents[1])
WIDTH = 4


class Recorder:
    """Notices, in order."""

    def __init__(self) -> None:
        self.notices: list[ev.Notice] = []

    def on_event(self, notice: ev.Notice) -> None:
        self.notices.append(notice)

    def of(self, kind: type) -> list[Any]:
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def starts(self) -> list[tuple[int, int]]:
        """(stage, partition) of each task start."""
        return [(n.task.stage, n.task.partition) for n in self.of(ev.TaskStarted)]

    def again(self) -> list[tuple[int, int]]:
        starts = self.starts()
        return sorted({at for at in starts if starts.count(at) > 1})


@pytest.fixture(scope="module")
def ray_session(ray_here: None) -> Iterator[Session]:
    """A session on the suite's Ray."""
    session = Session("ray[2]", {})
    try:
        whole(session)
        yield session
    finally:  # else it would keep the CPUs from the tests after these
        session.stop()


@pytest.fixture
def heard(ray_session: Session) -> Iterator[Recorder]:
    """What listeners hear during a test; before it, the session is at full strength."""
    whole(ray_session)
    recorder = Recorder()
    ray_session.add_listener(recorder)
    yield recorder
    ray_session.remove_listener(recorder)


def whole(session: Session, seconds: float = 30) -> float:
    """Wait until both executors are up; the seconds it took."""
    began = time.monotonic()
    while len(pids(session)) < 2:
        assert time.monotonic() - began < seconds, session.executors()
        time.sleep(0.02)
    return time.monotonic() - began


def pids(session: Session) -> dict[str, int]:
    """Process ids of the executors that are up."""
    return {name: each["pid"] for name, each in session.executors().items() if each["pid"]}


def test_a_session_that_ends_as_it_starts_gives_the_cpus_back(
    ray_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An actor that is killed while it starts would keep its CPU for ever."""
    import ray

    ended: list[bool] = []
    really = ray.kill

    def kill(handle: Any) -> None:
        actors = session._executors._actors.values()
        hello = next(actor.hello for actor in actors if actor.handle is handle)
        ended.append(bool(ray.wait([hello], timeout=0)[0]))
        really(handle)

    for _ in range(2):
        session = Session("ray[2]", {})
        with monkeypatch.context() as patch:
            patch.setattr(ray, "kill", kill)
            session.stop()
    assert ended == [True] * 4
    end = time.monotonic() + 30
    while ray.available_resources().get("CPU") != 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def numbers(width: int = WIDTH, each: int = 100) -> Source:
    return Source(tuple(RangePart(at * each, (at + 1) * each, 1) for at in range(width)))


def counted(child: Node, channels: int = 3) -> Node:
    """How often each key comes."""
    partial = Narrow(child, Combine(None, add, add, False))
    return Narrow(Exchange(partial, Hash(channels)), Combine(None, add, add, True))


def answer(session: Session, plan: Node) -> list[Any]:
    return sorted(row for _, rows in session.run(plan) for row in rows)


def inject(session: Session, what: str, at: str, match: Callable[[ev.Launch], bool]) -> Injection:
    injection = Injection(what, at, 1, lambda launch: not launch.task.attempt and match(launch))
    session.faults.add(injection)
    return injection


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether the process ends within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def kill_one(session: Session, heard: Recorder) -> str:
    """SIGKILL one executor's process; its name, when its end is known and another one is there."""
    name, pid = next(iter(pids(session).items()))
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    while name not in [notice.executor for notice in heard.of(ev.ExecutorRemoved)]:
        assert time.monotonic() - began < 5
        time.sleep(0.01)
    assert gone(pid)
    assert whole(session) < 5
    return name


PAIRS = Map(lambda n: (n % 7, 1))
EXPECTED = [(key, sum(1 for n in range(400) if n % 7 == key)) for key in range(7)]


# ---- alone on a Ray that others may use ----------------------------------------------------------
# These come first: the session of the other tests takes all of Ray's CPUs.


def test_a_session_leaves_nothing_on_a_ray_that_is_not_its_own(ray_here: None) -> None:
    ray = pytest.importorskip("ray")
    session = Session("ray[1]", {"spark.executorEnv.MINISPARK_TEST": "yes"})
    kept = session.persist(Narrow(numbers(), PAIRS), StorageLevel.OFF_HEAP)
    assert len(answer(session, kept)) == 400
    environ = MapPartitions(lambda index, rows: [os.environ.get("MINISPARK_TEST")])
    assert answer(session, Narrow(numbers(1), environ)) == ["yes"]
    name = session._executors._session
    folders = [f for root in ("/dev/shm", "/tmp") for f in glob.glob(f"{root}/minispark-*{name}*")]
    assert folders
    pid = next(iter(pids(session).values()))
    session.stop()
    assert gone(pid)
    assert ray.is_initialized()
    assert not any(os.path.exists(folder) for folder in folders)
    with pytest.raises(RuntimeError, match="stopped"):
        answer(session, kept)


# ---- answers and blocks --------------------------------------------------------------------------


def test_no_shuffle_byte_passes_the_driver(ray_session: Session) -> None:
    ray = pytest.importorskip("ray")
    before = ray_session._executors.driver_bytes
    wide = Map(lambda n: (n, b"x" * 3000))
    lengths = Narrow(numbers(), wide)
    plan = Narrow(Exchange(lengths, Hash(3)), Count())
    tiny = counted(Narrow(numbers(), PAIRS))
    assert sum(answer(ray_session, plan)) == 400
    assert answer(ray_session, tiny) == EXPECTED
    assert ray_session._executors.driver_bytes == before
    # Ray keeps small values in their owner's process, which is the driver: not ours, however small.
    objects = ray_session._executors._objects._objects
    shuffled = [ref for (task, _), (ref, _) in objects.items() if task >= 0]
    assert len(shuffled) >= 2 * WIDTH
    places = ray.experimental.get_object_locations(shuffled)
    assert all(place["node_ids"] for place in places.values())


@pytest.mark.parametrize("size", [10, 20_000, 300_000])
def test_results_of_every_size_arrive(ray_session: Session, size: int) -> None:
    before = ray_session._executors.driver_bytes
    plan = Narrow(numbers(), MapPartitions(lambda index, rows: [bytes([index]) * size]))
    assert answer(ray_session, plan) == [bytes([index]) * size for index in range(WIDTH)]
    fetched = ray_session._executors.driver_bytes - before
    assert (fetched > WIDTH * size) == (size > 1 << 18)


def test_blocks_are_freed(ray_session: Session) -> None:
    objects = ray_session._executors._objects
    ray_session._loop.settle()
    before = len(objects)
    plan = counted(Narrow(numbers(), PAIRS))
    answer(ray_session, plan)
    assert len(objects) == before + WIDTH
    del plan
    ray_session._loop.settle()
    ray_session._loop.settle()  # the first one may find the node still in use by the loop
    assert len(objects) == before


def test_equal_keys_meet_whatever_process_made_them(ray_session: Session) -> None:
    texts = Narrow(numbers(), Map(lambda n: (f"key {n % 50}", 1)))
    assert answer(ray_session, counted(texts)) == sorted((f"key {n}", 8) for n in range(50))


def test_a_users_exception_keeps_its_type(ray_session: Session) -> None:
    plan = Narrow(numbers(), Map(lambda n: 1 // (n - 250)))
    with pytest.raises(ZeroDivisionError, match="division"):
        answer(ray_session, plan)


def test_driver_made_blocks_reach_every_task_and_go(ray_session: Session) -> None:
    from executors import current

    whole(ray_session)
    payload = os.urandom(1 << 20)
    block = ray_session.put(payload)

    def first_bytes(index: int, rows: Any) -> Any:
        running = current.get()
        assert running is not None
        view = running.open_block(block)
        return [(os.getpid(), len(view), bytes(view[:4]))]

    plan = Narrow(numbers(), MapPartitions(first_bytes))
    found = answer(ray_session, plan)
    assert {pid for pid, *_ in found} == set(pids(ray_session).values())
    assert {rest for _, *rest in map(tuple, found) for rest in [tuple(rest)]} == {
        (1 << 20, payload[:4])
    }
    assert bytes(ray_session.open_block(block)) == payload
    ray_session.free_block(block)
    ray_session._loop.settle()
    assert ray_session._executors._objects.ref(block) is None
    with pytest.raises(Exception, match="deleted"):
        answer(ray_session, plan)


def test_files_of_the_driver_are_given_to_tasks(ray_session: Session) -> None:
    name = "ray_backend_words.txt"
    Path(ray_session.files_folder, name).write_text("some words")
    ray_session.add_file(name, importable=False)

    def words(index: int, rows: Any) -> Any:
        from executors import current

        running = current.get()
        assert running is not None
        return [Path(running.files_folder, name).read_text()]

    assert answer(ray_session, Narrow(numbers(), MapPartitions(words))) == ["some words"] * WIDTH


# ---- deaths --------------------------------------------------------------------------------------


def test_a_killed_process_loses_its_cache_but_not_its_shuffle_output(
    ray_session: Session, heard: Recorder
) -> None:
    kept = ray_session.persist(Narrow(numbers(), PAIRS), StorageLevel.MEMORY_ONLY)
    plan = counted(kept)
    assert answer(ray_session, plan) == EXPECTED
    maps = {n.task.stage for n in heard.of(ev.TaskStarted)} - {max(heard.starts())[0]}
    homes = {n.task.partition: n.executor for n in heard.of(ev.TaskStarted) if n.task.stage in maps}
    victim = kill_one(ray_session, heard)
    lost = {partition for partition, executor in homes.items() if executor == victim}
    assert lost and lost != set(range(WIDTH))
    heard.notices.clear()
    # The shuffle is all there: no map task runs. The kept partitions of the dead process are not.
    assert answer(ray_session, plan) == EXPECTED
    assert not {stage for stage, _ in heard.starts()} & maps
    heard.notices.clear()
    assert sorted(sum(rows) for _, rows in ray_session.run(Narrow(kept, Count()))) == [100] * WIDTH
    assert {n.partition for n in heard.of(ev.Recomputed) if n.what == "kept"} == lost
    assert victim not in pids(ray_session)


def test_a_kill_in_the_middle_repeats_that_task_only(ray_session: Session, heard: Recorder) -> None:
    fault = inject(
        ray_session,
        "kill",
        "before write",
        lambda launch: launch.stage.output is not None and launch.task.partition == 1,
    )
    assert answer(ray_session, counted(Narrow(numbers(), PAIRS))) == EXPECTED
    assert len(fault.fired) == 1
    map_stage = min(heard.starts())[0]
    assert heard.again() == [(map_stage, 1)]
    assert "executor ray-" in heard.of(ev.ExecutorRemoved)[0].reason
    assert whole(ray_session) < 5


def test_files_of_a_dead_process_are_still_used_by_others_of_its_node(
    ray_session: Session, heard: Recorder
) -> None:
    kept = ray_session.persist(Narrow(numbers(), PAIRS), StorageLevel.DISK_ONLY)
    assert len(answer(ray_session, kept)) == 400
    kill_one(ray_session, heard)
    assert len(answer(ray_session, kept)) == 400
    assert not heard.of(ev.Lost)


def test_a_second_copy_saves_recomputing(ray_session: Session, heard: Recorder) -> None:
    kept = ray_session.persist(Narrow(numbers(), PAIRS), StorageLevel.MEMORY_ONLY_2)
    objects = len(ray_session._executors._objects)
    assert len(answer(ray_session, kept)) == 400
    assert len(ray_session._executors._objects) == objects  # the copies went through blocks
    kill_one(ray_session, heard)
    heard.notices.clear()
    assert len(answer(ray_session, kept)) == 400
    assert not heard.of(ev.Recomputed)


@pytest.mark.parametrize("at", ["after write", "in fetch"])
def test_a_lost_block_makes_its_map_task_run_again(
    ray_session: Session, heard: Recorder, at: str
) -> None:
    fault = inject(
        ray_session,
        "lose_block",
        at,
        lambda launch: (
            (launch.stage.output is not None) == (at == "after write")
            and launch.task.partition == 2
        ),
    )
    assert answer(ray_session, counted(Narrow(numbers(), PAIRS))) == EXPECTED
    assert len(fault.fired) == 1
    lost = [n.partition for n in heard.of(ev.Lost) if n.what == "shuffle"]
    map_stage = min(heard.starts())[0]
    assert lost == ([2] if at == "after write" else [0])
    assert [at for at in heard.again() if at[0] == map_stage] == [(map_stage, lost[0])]


# ---- cancelling ----------------------------------------------------------------------------------


def beat(path: str) -> Callable[[int, Any], Any]:
    """A partition function that writes to a file, for a minute, unless it is stopped."""

    def go(index: int, rows: Any) -> Any:
        for _ in range(600):
            with open(path, "a") as file:
                file.write(".")
            time.sleep(0.1)
        return rows

    return go


def spin(path: str) -> Callable[[int, Any], Any]:
    """The same, without ever sleeping."""

    def go(index: int, rows: Any) -> Any:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with open(path, "a") as file:
                file.write(".")
            sum(range(10_000))
        return rows

    return go


def sleep_long(path: str) -> Callable[[int, Any], Any]:
    """One long sleep."""

    def go(index: int, rows: Any) -> Any:
        Path(path).touch()
        time.sleep(60)
        return rows

    return go


@pytest.mark.parametrize("work", [beat, spin, sleep_long])
def test_cancel_stops_the_code_and_spares_the_cache(
    ray_session: Session, heard: Recorder, tmp_path: Path, work: Callable[[str], Any]
) -> None:
    kept = ray_session.persist(Narrow(numbers(), PAIRS), StorageLevel.MEMORY_ONLY)
    assert len(answer(ray_session, kept)) == 400
    before = pids(ray_session)
    heard.notices.clear()
    path = tmp_path / "beats"
    job = ray_session.submit(Narrow(kept, MapPartitions(work(str(path)))))
    while not path.exists():
        time.sleep(0.02)
    began = time.monotonic()
    job.cancel()
    with pytest.raises(JobCancelled):
        job.next()
    while ray_session._loop.scheduler.running:
        assert time.monotonic() - began < 1.2
        time.sleep(0.01)
    size = path.stat().st_size
    heard.notices.clear()
    assert len(answer(ray_session, kept)) == 400
    assert path.stat().st_size == size
    assert pids(ray_session) == before
    assert not heard.of(ev.Recomputed) and not heard.of(ev.Lost)


def test_a_task_that_will_not_stop_loses_its_process(
    ray_session: Session, heard: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "beats"

    def stubborn(index: int, rows: Any) -> Any:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                while time.monotonic() < end:
                    path.touch()
                    time.sleep(0.01)
            except BaseException:  # noqa: S110  (what a careless user's code does)
                pass
        return rows

    before = set(pids(ray_session).values())
    job = ray_session.submit(Narrow(numbers(2), MapPartitions(stubborn)))
    while not path.exists():
        time.sleep(0.02)
    began = time.monotonic()
    job.cancel()
    assert all(gone(pid, 4) for pid in before)
    while len(heard.of(ev.ExecutorRemoved)) < 2:
        assert time.monotonic() - began < 4
        time.sleep(0.01)
    assert "did not stop" in heard.of(ev.ExecutorRemoved)[0].reason
    assert answer(ray_session, counted(Narrow(numbers(), PAIRS))) == EXPECTED


# ---- barriers ------------------------------------------------------------------------------------


def test_barrier_tasks_meet(ray_session: Session, heard: Recorder) -> None:
    def meet(index: int, rows: Any) -> Any:
        context = TaskContext.get()
        assert isinstance(context, BarrierTaskContext)
        first = context.allGather(f"task {index}")
        context.barrier()
        return [(index, *first, *context.allGather("again"))]

    plan = Narrow(numbers(2), MapPartitions(meet, barrier=True))
    both = ("task 0", "task 1", "again", "again")
    for _ in range(2):
        assert answer(ray_session, plan) == [(0, *both), (1, *both)]


def test_cancel_ends_a_wait_at_a_barrier(
    ray_session: Session, heard: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "waits"

    def wait(index: int, rows: Any) -> Any:
        context = TaskContext.get()
        assert isinstance(context, BarrierTaskContext)
        if index == 0:
            path.touch()
            context.barrier()
        else:
            time.sleep(60)
        return rows

    before = pids(ray_session)
    job = ray_session.submit(Narrow(numbers(2), MapPartitions(wait, barrier=True)))
    while not path.exists():
        time.sleep(0.02)
    began = time.monotonic()
    job.cancel()
    while ray_session._loop.scheduler.running:
        assert time.monotonic() - began < 1.2
        time.sleep(0.01)
    assert pids(ray_session) == before


# ---- beginnings and ends -------------------------------------------------------------------------


OWN_RAY = """
import io, json, logging, os, sys
log = io.StringIO()
logging.getLogger("minispark").addHandler(logging.StreamHandler(log))
before = dict(os.environ)
from minispark.session import Session
from executors.masters import Master
from planner.ops import Count, Map
from planner.plan import Narrow, Source
from planner.sources import RangePart
session = Session("ray[2]", {})
import ray
folder = ray._private.worker._global_node.get_session_dir_path()
source = Source(tuple(RangePart(i * 10, i * 10 + 10, 1) for i in range(4)))
rows = sorted(r for _, rows in session.run(Narrow(Narrow(source, Map(str)), Count())) for r in rows)
children = [int(p) for p in os.popen(f"pgrep -f {os.path.basename(folder)}").read().split()]
pids = [each["pid"] for each in session.executors().values()]
session.stop()
initialized = ray.is_initialized()
second = Session("ray[1]", {})
again = [row for _, rows in second.run(Narrow(source, Count())) for row in rows]
ray.shutdown()
try:
    list(second.run(Narrow(source, Count())))
    told = "it ran"
except RuntimeError as error:
    told = str(error)
second.stop()
after = {k: v for k, v in os.environ.items() if before.get(k) != v}
print("RESULT " + json.dumps({"rows": rows, "folder": folder, "pids": pids + children,
    "changed": sorted(after), "initialized": initialized or ray.is_initialized(),
    "again": again, "told": told, "log": log.getvalue()}))
"""


def run_alone(*arguments: str, seconds: float = 150) -> dict[str, Any]:
    """Run Python in a process of its own; what it prints after RESULT."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": ROOT},
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    found: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT "))
    return found


def test_a_ray_of_our_own_is_started_and_ended() -> None:
    told = run_alone("-c", OWN_RAY)
    assert told["rows"] == [10, 10, 10, 10]
    assert told["again"] == [10, 10, 10, 10]
    assert "no executor is left" in told["told"]
    assert "Ray was shut down" in told["log"]
    assert not told["initialized"]
    assert not os.path.exists(told["folder"])
    assert all(gone(pid) for pid in told["pids"])
    assert "PYTHONHASHSEED" not in told["changed"] and "PYTHONPATH" not in told["changed"]
    assert not [name for name in told["changed"] if "max_direct" in name]


def test_losing_a_node_between_map_and_reduce_repeats_its_maps_only(tmp_path: Path) -> None:
    told = run_alone(os.path.join(ROOT, "tests", "ray_three_nodes.py"), str(tmp_path))
    expected = {str(key): 90 for key in range(10)}
    assert told["first"] == told["second"] == told["third"] == told["fourth"] == expected
    assert told["nodes"] == 3 and told["maps"] == list(range(9))
    assert told["in_store"] and told["blocks"] == 9 * 3  # a block for each destination node
    assert told["driver_bytes"] == 0
    assert told["held"] and told["held"] != told["maps"]
    assert told["maps_again"] == told["held"]
    assert told["maps_third"] == []
    assert told["executors"] == 2
    assert told["executors_later"] == 3  # as soon as there was a node again
    assert told["seconds"] < 20


def test_another_ray_than_the_one_in_use_is_refused(ray_here: None) -> None:
    with pytest.raises(RuntimeError, match="connected to the Ray at"):
        Session("127.0.0.1:1", {})


# ---- without Ray ---------------------------------------------------------------------------------


def interrupted(body: Callable[[Any, threading.Event], Any]) -> Any:
    """Run `body(interrupts, begun)` as task 5 in a thread and cancel it when it has begun."""
    from executors.interrupts import Interrupts

    interrupts, begun, ended = Interrupts(), threading.Event(), []

    def run() -> None:
        try:
            try:
                interrupts.arm(5)
                ended.append(body(interrupts, begun))
            finally:
                interrupts.disarm()
        except TaskCancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(5)
    interrupts.cancel(4)  # another task's
    interrupts.cancel(5)
    interrupts.cancel(5)
    thread.join(5)
    return ended


def test_a_cancel_reaches_code_that_computes() -> None:
    def body(interrupts: Any, begun: threading.Event) -> None:
        begun.set()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            sum(range(1000))

    assert interrupted(body) == ["cancelled"]


def test_a_shield_holds_a_cancel_back_until_its_end() -> None:
    reached = []

    def body(interrupts: Any, begun: threading.Event) -> None:
        with interrupts():
            with interrupts():
                begun.set()
                end = time.monotonic() + 0.3
                while time.monotonic() < end:
                    sum(range(1000))
            reached.append("the end of the shield")
        reached.append("behind it")

    assert interrupted(body) == ["cancelled"]
    assert reached == ["the end of the shield"]


def test_a_cancel_that_comes_before_its_task_is_remembered() -> None:
    from executors.interrupts import Interrupts

    interrupts = Interrupts()
    interrupts.cancel(7)
    interrupts.arm(6)
    interrupts.disarm()
    with pytest.raises(TaskCancelled):
        interrupts.arm(7)
    interrupts.disarm()
    interrupts.cancel(7)
    interrupts.arm(8)
    interrupts.disarm()


def test_no_cancel_is_ever_raised_after_its_task() -> None:
    """Thousands of tasks of every length, each cancelled at about its end."""
    from executors.interrupts import Interrupts

    interrupts = Interrupts()
    number, outcomes, stray = [0], {"done": 0, "cancelled": 0}, []
    stop = threading.Event()

    def canceller() -> None:
        while not stop.is_set():
            interrupts.cancel(number[0])

    thread = threading.Thread(target=canceller)
    thread.start()
    try:
        for task in range(1, 3000):
            number[0] = task
            try:
                try:
                    interrupts.arm(task)
                    with interrupts():
                        sum(range(task % 40))
                    while task % 50 == 0:
                        pass  # ends only by a cancel
                    outcomes["done"] += 1
                finally:
                    interrupts.disarm()
            except TaskCancelled:
                outcomes["cancelled"] += 1
            sum(range(50))
    except TaskCancelled as error:
        stray.append(error)
    finally:
        stop.set()
        thread.join()
    assert not stray
    assert outcomes["cancelled"] > 0


def test_rays_exceptions_become_values() -> None:
    errors = pytest.importorskip("ray.exceptions")
    from executors.ray_backend.failures import answer_failure, death, missing

    unavailable = errors.ActorUnavailableError("connection closed", b"\0" * 16)
    found = death(unavailable, "ray-3", node_alive=True)
    assert found is not None and found.node_too and "ray-3" in found.reason
    assert death(errors.ActorDiedError(), "ray-3", node_alive=False).node_too  # type: ignore[union-attr]
    assert not death(errors.ActorDiedError(), "ray-3", node_alive=True).node_too  # type: ignore[union-attr]
    assert death(ValueError("a bug"), "ray-3", node_alive=True) is None
    lost = errors.ObjectReconstructionFailedError("00" * 28, None, "")
    assert missing(lost) == "ObjectReconstructionFailedError"
    wrapped = errors.RayTaskError("run", "traceback", lost)
    assert missing(wrapped) == "ObjectReconstructionFailedError"
    assert missing(TimeoutError()) is None
    assert "store and its disk are full" in answer_failure(errors.ObjectStoreFullError("x")).message
