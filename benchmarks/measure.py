"""Times workloads on several engines in turn, each in a driver process of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from typing import Any

from benchmarks.processes import settle
from benchmarks.workloads import Data, Workload, same

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT = 900.0  # seconds for one request
STOP_LIMIT = 60.0

Say = Callable[[str], None]


def environment(python: str) -> dict[str, str]:
    """Variables with which drivers and their workers find this repository's packages."""
    paths = [ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    return dict(os.environ, PYTHONPATH=os.pathsep.join(paths), PYSPARK_PYTHON=python)


class Failed(Exception):
    """An engine could not do what it was asked; the text says why."""


class Engine:
    """The driver process of one engine: `python -m module name fd`. It starts at the first
    request."""

    def __init__(
        self, name: str, python: str, folder: str, module: str = "benchmarks.engines"
    ) -> None:
        self.name = name
        self.module = module
        self.python = python
        self.log = os.path.join(folder, f"{name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None

    def start(self) -> None:
        mine, theirs = Pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", self.module, self.name, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment(self.python),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        theirs.close()
        self.connection = mine
        self.receive()

    def receive(self) -> Any:
        assert self.connection is not None
        if not self.connection.poll(LIMIT):
            raise Failed(f"no answer within {LIMIT:.0f} s")
        try:
            status, answer = self.connection.recv()
        except EOFError:
            with open(self.log, errors="replace") as log:
                raise Failed(f"the driver process died\n{log.read()[-2000:]}") from None
        if status == "failed":
            raise Failed(answer)
        return answer

    def ask(self, *request: Any) -> Any:
        """The answer to a request; raises `Failed`."""
        if self.connection is None:
            self.start()
        assert self.connection is not None
        self.connection.send(request)
        return self.receive()

    def stop(self) -> None:
        if self.process is None or self.connection is None:
            return
        try:
            self.connection.send(None)
            self.process.wait(STOP_LIMIT)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
        self.process = self.connection = None


def until_quiet(engines: Iterable[Engine]) -> None:
    """Wait until no engine computes on beside its answer, as a JVM does."""
    settle([engine.process.pid for engine in engines if engine.process])


@dataclass
class Line:
    """What was measured for one workload: seconds of every round by engine, and remarks."""

    name: str
    own_target: bool
    seconds: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def median(self, engine: str) -> float | None:
        rounds = self.seconds.get(engine)
        return statistics.median(rounds) if rounds else None


def interleave(
    workload: Workload, data: Data, engines: list[Engine], rounds: int, say: Say
) -> Line:
    """Run the workload `rounds` times on each engine, in turn, and compare all results."""
    line = Line(workload.name, workload.own_target)
    values: dict[str, Any] = {}
    running = list(engines)

    def attempt(engine: Engine, *request: Any) -> Any:
        try:
            return engine.ask(*request)
        except Failed as failure:
            line.notes.append(f"{failure}\n{engine.name} failed")
            running.remove(engine)
            engine.stop()
            return None

    for engine in list(running):
        say(f"{workload.name}: {engine.name} prepares")
        attempt(engine, "setup", workload.name, data)
    for number in range(rounds):
        for engine in list(running):
            say(f"{workload.name}: {engine.name}, round {number + 1} of {rounds}")
            until_quiet(engines)
            answer = attempt(engine, "run", workload.name, data)
            if answer is None:
                continue
            seconds, value = answer
            line.seconds.setdefault(engine.name, []).append(seconds)
            first = next(iter(values.values()), value)
            if not same(first, value):
                line.notes.append(f"{engine.name}: the result differs from {next(iter(values))}'s")
            values.setdefault(engine.name, value)
    for engine in list(running):
        attempt(engine, "forget", workload.name)
    return line


def time_programs(engines: list[Engine], rounds: int, say: Say) -> Line:
    """Seconds of a whole small program: import, session, first result, stop."""
    line = Line("first_result", own_target=True)
    for number in range(rounds):
        for engine in engines:
            say(f"first_result: {engine.name}, round {number + 1} of {rounds}")
            begin = time.perf_counter()
            done = subprocess.run(
                [engine.python, "-m", "benchmarks.first_result", engine.name],
                env=environment(engine.python),
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=LIMIT,
            )
            seconds = time.perf_counter() - begin
            if done.returncode == 0 and done.stdout.split()[-1:] == ["332833500"]:
                line.seconds.setdefault(engine.name, []).append(seconds)
            else:
                line.notes.append(f"{(done.stdout + done.stderr)[-2000:]}\n{engine.name} failed")
    return line


def show_progress(text: str) -> None:
    """One line that is written over, where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
