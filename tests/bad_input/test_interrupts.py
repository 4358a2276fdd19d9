"""Ctrl-C in the middle of a job, twice too; a driver that is ended from outside."""

from __future__ import annotations

import glob
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import pytest
from bad import Script, until

from executors.orders import CANCEL, Order
from executors.runtime import TaskCancelled
from executors.worker import Worker
from planner.events import TaskId
from planner.failures import Cancelled

MASTERS = ["inline[2]", "local[2]"]
PATIENCE = 2.0  # seconds after which no user code of a cancelled job may run

BEGIN = """
import os, signal, time
from minispark import SparkContext

log = os.environ["LOG"]
sc = SparkContext(os.environ["MASTER"], "interrupted")
seen = sc.accumulator(0)

def counted(n):
    seen.add(1)
    return n

def tick():
    with open(log, "a") as file:
        file.write(f"{time.time()}\\n")

data = sc.parallelize(range(40), 4).map(counted).cache()
assert data.sum() == 780
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Script]]:
    scripts: list[Script] = []

    def run(master: str, text: str) -> Script:
        script = Script(
            tmp_path, BEGIN + text, MASTER=master, LOG=str(tmp_path / "log"), TMPDIR=str(tmp_path)
        )
        scripts.append(script)
        return script

    yield run
    for script in scripts:
        script.kill()


def ticks(folder: Path) -> list[float]:
    """When tasks have written that they run."""
    path = folder / "log"
    return [float(line) for line in path.read_text().split()] if path.exists() else []


LOOPS = {
    "sleeps": "while True: tick(); time.sleep(0.01)",
    "computes": "while True: tick(); sum(range(10_000))",
    "sleeps long": "tick(); time.sleep(60)",
    "catches Exception": """
        while True:
            try:
                while True: tick(); time.sleep(0.01)
            except Exception:
                pass""",
}


@pytest.mark.parametrize("master", MASTERS)
@pytest.mark.parametrize("loop", LOOPS)
def test_ctrl_c_stops_the_tasks_and_nothing_else(
    start: Callable[..., Script], tmp_path: Path, master: str, loop: str
) -> None:
    script = start(
        master,
        f"""
def endless(n):
    {LOOPS[loop]}

try:
    data.map(endless).count()
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(data.sum(), seen.value, sc.parallelize([1, 2], 2).barrier().mapPartitions(list).collect())
print(sc.statusTracker().getActiveJobsIds())
""",
    )
    until(lambda: ticks(tmp_path))
    sent = time.time()
    script.process.send_signal(signal.SIGINT)
    assert script.line() == "interrupted"
    assert time.time() < sent + PATIENCE
    code, out, err = script.end()
    assert (code, out) == (0, "780 40 [1, 2]\n[]\n"), err
    assert max(ticks(tmp_path)) < sent + PATIENCE


def test_a_cancel_that_a_finalizer_swallows_comes_again(
    start: Callable[..., Script], tmp_path: Path
) -> None:
    """Python drops what is raised in `__del__`: the task is asked again, and its process lives."""
    script = start(
        "local[2]",
        """
class Ends:
    def __del__(self):
        while True: tick(); time.sleep(0.01)

def endless(n):
    Ends()
    open(log + ".swallowed", "w").close()
    while True: tick(); time.sleep(0.01)

try:
    data.map(endless).count()
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(data.sum(), seen.value)
""",
    )
    until(lambda: ticks(tmp_path))
    sent = time.time()
    script.process.send_signal(signal.SIGINT)
    assert script.line() == "interrupted"
    code, out, err = script.end()
    assert (code, out) == (0, "780 40\n"), err
    assert (tmp_path / "log.swallowed").exists()
    assert max(ticks(tmp_path)) < sent + PATIENCE


def test_a_task_that_catches_everything_is_ended_with_its_process(
    start: Callable[..., Script], tmp_path: Path
) -> None:
    script = start(
        "local[2]",
        """
def stubborn(n):
    while True:
        try:
            while True: tick(); time.sleep(0.01)
        except BaseException:
            pass

try:
    sc.parallelize([1], 1).map(stubborn).count()
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(sc.parallelize([1, 2], 2).barrier().mapPartitions(list).collect(), data.sum())
""",
    )
    until(lambda: ticks(tmp_path))
    sent = time.time()
    script.process.send_signal(signal.SIGINT)
    assert script.line() == "interrupted"
    code, out, err = script.end()
    assert (code, out) == (0, "[1, 2] 780\n"), err
    assert max(ticks(tmp_path)) < sent + PATIENCE


@pytest.mark.parametrize("master", MASTERS)
def test_many_ctrl_c_in_a_row(start: Callable[..., Script], tmp_path: Path, master: str) -> None:
    """Whatever the engine is doing when they come, it goes on afterwards, and nothing runs on."""
    script = start(
        master,
        """
def endless(n):
    while True: tick(); time.sleep(0.001)

left = 0

def twice(number, frame):
    global left
    if left:
        left -= 1
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, twice)
for turn in range(30):
    try:
        try:
            left = 2
            os.write(1, b"go\\n")
            data.map(endless).count()
        except KeyboardInterrupt:
            pass
        left = 0  # within the outer block: none is raised where nothing would catch it
    except KeyboardInterrupt:  # the second one came while the first was caught
        pass
print("done", flush=True)
print(data.sum(), seen.value, sc.parallelize([1, 2], 2).barrier().mapPartitions(list).collect())
print(sc.statusTracker().getActiveJobsIds(), flush=True)
signal.signal(signal.SIGINT, signal.SIG_IGN)  # one may be on its way yet
""",
    )
    while script.line() == "go":
        script.process.send_signal(signal.SIGINT)
        time.sleep(0.002)
        script.process.send_signal(signal.SIGINT)
    sent = time.time()
    code, out, err = script.end()
    assert (code, out) == (0, "780 40 [1, 2]\n[]\n"), err
    assert max(ticks(tmp_path), default=0.0) < sent + PATIENCE


def test_a_cancel_as_a_task_ends_is_of_that_task_only() -> None:
    """The signal comes between the task's answer and the end of its reach, and then once more."""
    control, written = os.pipe()
    driver, its_end = Pipe()
    before = signal.getsignal(signal.SIGUSR1)
    worker = Worker(its_end, control)
    worker.runtime = SimpleNamespace(
        run=lambda order: "answer", config=SimpleNamespace(executor="e")
    )  # type: ignore[assignment]
    really_disarm, raised = worker.interrupts.disarm, []

    def disarm() -> None:
        if not raised:
            os.write(written, CANCEL.pack(7))
            try:
                signal.raise_signal(signal.SIGUSR1)
            except TaskCancelled as cancelled:
                raised.append(cancelled)
                raise
        really_disarm()

    worker.interrupts.disarm = disarm  # type: ignore[method-assign]
    try:
        worker.run(Order(TaskId(7, 0, 0, 0), "rows", {}, {}, {}, frozenset()))
        assert isinstance(driver.recv().failure, Cancelled)
        assert len(raised) == 1
        signal.raise_signal(signal.SIGUSR1)  # the driver did not know yet; nothing is under way
    finally:
        signal.signal(signal.SIGUSR1, before)
        for end in (control, written):
            os.close(end)


def test_a_cancel_that_comes_as_its_task_begins_is_not_forgotten() -> None:
    """The signal comes while the numbers of earlier tasks are cleared away."""
    control, written = os.pipe()
    driver, its_end = Pipe()
    before = signal.getsignal(signal.SIGUSR1)
    interrupts = Worker(its_end, control).interrupts
    seen: list[int] = []

    class Numbers(set[int]):
        def __iter__(self) -> Iterator[int]:
            yield from list(set.__iter__(self))
            if not seen:
                seen.append(1)
                os.write(written, CANCEL.pack(7))
                signal.raise_signal(signal.SIGUSR1)

    interrupts._cancelled = Numbers({3})
    try:
        with pytest.raises(TaskCancelled):
            interrupts.arm(7)
        assert seen == [1] and not interrupts.armed and 3 not in interrupts._cancelled
    finally:
        signal.signal(signal.SIGUSR1, before)
        driver.close()
        for end in (control, written):
            os.close(end)


def test_ctrl_c_in_a_script_that_does_not_catch_it(
    start: Callable[..., Script], tmp_path: Path
) -> None:
    script = start(
        "local[2]",
        """
def endless(n):
    while True: tick(); time.sleep(0.01)

data.map(endless).count()
""",
    )
    until(lambda: ticks(tmp_path))
    before = workers(tmp_path)
    assert len(before) == 2
    sent = time.time()
    script.process.send_signal(signal.SIGINT)
    code, _, err = script.end()
    assert code != 0 and "KeyboardInterrupt" in err
    until(lambda: not workers(tmp_path), 5)
    assert not folders(tmp_path)
    assert max(ticks(tmp_path)) < sent + PATIENCE


def workers(folder: Path) -> list[int]:
    """Worker processes of the session below that temporary folder."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if b"executors.worker" in words and any(w.startswith(bytes(folder)) for w in words):
            found.append(int(path.split("/")[2]))
    return found


def folders(folder: Path) -> list[str]:
    """What a session has left in the temporary folder."""
    return [path.name for path in folder.iterdir() if path.name.startswith("minispark-")]


def shared(pids: list[int]) -> set[str]:
    """Memory-backed folders that workers were given."""
    found = set()
    for pid in pids:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode().split("\0")
        found |= {word for word in words if word.startswith("/dev/shm/")}
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_driver_that_is_ended_leaves_nothing(
    start: Callable[..., Script], tmp_path: Path, number: signal.Signals
) -> None:
    """No process, no file, no shared memory, though its tasks write as fast as they can."""
    script = start(
        "local[2]",
        """
table = sc.broadcast(list(range(100_000)))

def grow(rows):
    for n in rows:
        tick()
        yield n % 7, os.urandom(200_000)

while True:
    kept = sc.parallelize(range(200), 4).mapPartitions(grow)
    kept = kept.persist(__import__("minispark").StorageLevel.DISK_ONLY)
    kept.groupByKey(3).mapValues(len).collect()
    len(kept.collect()), table.value
""",
    )
    until(lambda: len(ticks(tmp_path)) > 250)
    pids = workers(tmp_path)
    memory = shared(pids)
    assert len(pids) == 2 and folders(tmp_path)
    os.kill(script.process.pid, number)
    script.process.wait(10)
    sent = time.time()
    until(lambda: not workers(tmp_path), 5)
    assert not folders(tmp_path)
    assert not any(os.path.exists(folder) for folder in memory)
    assert max(ticks(tmp_path)) < sent + PATIENCE


def test_what_nobody_could_clean_up_the_next_start_does(
    start: Callable[..., Script], tmp_path: Path
) -> None:
    script = start("local[2]", "print('ready', flush=True)\ntime.sleep(600)\n")
    assert script.line() == "ready"
    pids = workers(tmp_path)
    left = {str(tmp_path / name) for name in folders(tmp_path)} | shared(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    script.process.kill()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    script.process.wait(10)
    until(lambda: not workers(tmp_path), 5)
    assert left and all(os.path.isdir(folder) for folder in left)
    again = start("local[1]", "print('ready', flush=True)\n")
    assert again.line() == "ready"
    assert not any(os.path.exists(folder) for folder in left)
    again.end()
