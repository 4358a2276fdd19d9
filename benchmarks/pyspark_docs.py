"""How much of PySpark's own documentation runs here: the examples of the installed wheel.

The examples are read from the docstrings of the `pyspark` that is installed (importing it starts no
Java), the word `pyspark` in them becomes `minispark`, and they run with the globals, options and
one SparkContext that PySpark's own test run of that module uses. A method passes when all its
examples do.

    python -m benchmarks.pyspark_docs --master local[2]
    python -m benchmarks.pyspark_docs --master ray[2] --only RDD
    python -m benchmarks.pyspark_docs --engine pyspark --verbose
"""

from __future__ import annotations

import argparse
import contextlib
import doctest
import importlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from types import ModuleType
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_LIMIT = 120.0  # seconds for importing, starting a session, and stopping it

FIVE = ("RDD", "SparkContext", "Broadcast", "Accumulator", "StorageLevel")
OTHERS = (
    "RDDBarrier",
    "AccumulatorParam",
    "BoundedFloat",
    "portable_hash",
    "SparkConf",
    "SparkFiles",
    "TaskContext",
    "BarrierTaskContext",
)


@dataclass(frozen=True)
class Setting:
    """How PySpark's own test run prepares the examples of one module.

    `gives` is the name of the global that the run adds: "sc", "spark" or none.
    """

    module: str
    gives: str | None
    app: str = "documentation"
    ellipsis: bool = True
    checkpoints: bool = False
    conf: tuple[tuple[str, str], ...] = ()


SETTINGS = (
    Setting("pyspark.core.rdd", "sc", "PythonTest", checkpoints=True),
    Setting("pyspark.core.context", "sc", "context tests", conf=(("spark.ui.enabled", "True"),)),
    Setting("pyspark.core.broadcast", "spark", "broadcast tests", ellipsis=False),
    Setting("pyspark.accumulators", "sc", "test"),
    Setting("pyspark.storagelevel", None),
    Setting("pyspark.conf", None),
    Setting("pyspark.core.files", "sc", "files tests"),
    Setting("pyspark.taskcontext", "spark", "taskcontext tests"),
)


@dataclass(frozen=True)
class Method:
    """The examples of one docstring. `owner` is the class (or function) it belongs to."""

    setting: Setting
    owner: str
    name: str
    test: doctest.DocTest


def find_methods() -> Iterator[Method]:
    """Every docstring of the modules in SETTINGS that has examples."""
    for setting in SETTINGS:
        module = importlib.import_module(setting.module)
        for test in doctest.DocTestFinder().find(module):
            name = test.name.removeprefix(module.__name__ + ".")
            if test.examples and name != module.__name__:
                yield Method(setting, name.split(".")[0], name, test)


# ---- in the child: one engine, one method after the other ----------------------------------------


class FirstFailure(doctest.DocTestRunner):
    """Runs the examples of a method up to the first that differs, which it keeps as text."""

    text = ""

    def __init__(self, flags: int) -> None:
        super().__init__(verbose=False, optionflags=flags)
        # Examples print from the main thread. What other threads print is not theirs: Ray's
        # driver repeats what tasks printed, some time later.
        output: Any = vars(self)["_fakeout"]
        write = output.write

        def write_of_main(text: str) -> int:
            mine = threading.current_thread() is threading.main_thread()
            return int(write(text)) if mine else len(text)

        output.write = write_of_main

    def report_failure(self, out: Any, test: Any, example: Any, got: str) -> None:
        self.text = f">>> {example.source}expected:\n{example.want}got:\n{got}"

    def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc: Any) -> None:
        kind, value, _ = exc
        self.text = (
            f">>> {example.source}expected:\n{example.want}raised:\n{kind.__name__}: {value}"
        )


def renamed(text: str, engine: str) -> str:
    """`text` with the import path of `engine` in place of PySpark's."""
    return re.sub(r"\bpyspark\b", engine, text)


def examples_for(test: doctest.DocTest, engine: str) -> list[doctest.Example]:
    """The examples of `test`, with the import path changed."""
    return [
        doctest.Example(
            renamed(example.source, engine),
            renamed(example.want, engine),
            None if example.exc_msg is None else renamed(example.exc_msg, engine),
            example.lineno,
            example.indent,
            example.options,
        )
        for example in test.examples
    ]


def globals_of(module: ModuleType, engine: str) -> dict[str, Any]:
    """The names that examples see: the module's own, as if it were the script that runs.

    A name that stands for something of PySpark's stands for the engine's namesake, or for nothing
    where the engine has none, so no example can use PySpark without our noticing.
    """
    names = dict(vars(module), __name__="__main__")
    if engine == "pyspark":
        return names
    # Where a user would import them from: the package, or the module of the same name in it.
    paths = [
        "",
        "." + module.__name__.removeprefix("pyspark."),
        "." + module.__name__.split(".")[-1],
    ]
    places = [
        importlib.import_module(engine + path)
        for path in paths
        if importlib.util.find_spec(engine + path)
    ]
    for name, value in list(names.items()):
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        if str(home).split(".")[0] == "pyspark" and not name.startswith("__"):
            del names[name]
            found = [getattr(place, name) for place in places if hasattr(place, name)]
            names.update({name: found[0]} if found else {})
    return names


class Bench:
    """One engine in this process: gives each method a living context and fresh globals."""

    def __init__(self, engine: str, master: str) -> None:
        self.engine = engine
        self.master = master
        self.root = importlib.import_module(engine)
        self.setting: Setting | None = None
        self.given: Any = None
        self.checkpoints = tempfile.TemporaryDirectory(prefix="pyspark_docs.")

    def stop(self) -> None:
        """Stop the context that methods are given, if there is one."""
        if self.given is not None:
            self.given.stop()
        self.setting = self.given = None

    def prepare(self, setting: Setting) -> None:
        """Start what the examples of a module expect, unless it is up already."""
        self.stop()
        conf = self.root.SparkConf().setMaster(self.master).setAppName(setting.app)
        conf.setAll(setting.conf)
        if setting.gives == "sc":
            self.given = self.root.SparkContext(conf=conf)
            self.given.setLogLevel("ERROR")
            if setting.checkpoints:
                self.given.setCheckpointDir(self.checkpoints.name)
        elif setting.gives == "spark":
            sql = importlib.import_module(self.engine + ".sql")
            self.given = sql.SparkSession.builder.config(conf=conf).getOrCreate()
            self.given.sparkContext.setLogLevel("ERROR")
        self.setting = setting

    def alive(self) -> bool:
        """Whether the context that methods are given can still run a job."""
        if self.given is None:
            return True
        sc = getattr(self.given, "sparkContext", self.given)
        try:
            return bool(sc.parallelize([1], 1).count() == 1)
        except Exception:  # any failure means the same: the next method needs another context
            return False

    def ready(self, method: Method) -> None:
        """Prepare for `method`. Examples that make a context themselves start without one:

        in PySpark's run the class they import is a second copy of the one that has a context.
        """
        makes = any(re.search(r"\bSparkContext\(", e.source) for e in method.test.examples)
        if makes:
            self.stop()
        elif self.setting is not method.setting or not self.alive():
            self.prepare(method.setting)

    def run(self, method: Method) -> str:
        """The first example that differs, as text, or the empty string where all agree."""
        module = importlib.import_module(method.setting.module)
        names = globals_of(module, self.engine)
        if self.given is not None and method.setting.gives:
            names[method.setting.gives] = self.given
        examples = examples_for(method.test, self.engine)
        test = doctest.DocTest(
            examples, names, method.name, method.test.filename, method.test.lineno, None
        )
        flags = doctest.FAIL_FAST | (doctest.ELLIPSIS if method.setting.ellipsis else 0)
        runner = FirstFailure(flags)
        runner.run(test, out=lambda text: None, clear_globs=False)
        self.tidy(test.globs)
        return runner.text

    def tidy(self, names: dict[str, Any]) -> None:
        """Undo what a method may leave behind: a context of its own, tags, a job group."""
        if self.given is None:
            for made in names.values():
                if isinstance(made, self.root.SparkContext):
                    made.stop()
        elif self.alive():
            sc = getattr(self.given, "sparkContext", self.given)
            sc.clearJobTags()
            for name in ("spark.jobGroup.id", "spark.job.description"):
                sc.setLocalProperty(name, None)


def child(connection: Connection, engine: str, master: str) -> None:
    """Answer the parent: a method's name in, "ready" and then the first difference out."""
    # NumPy 2 writes scalars with their type; PySpark's run asks for the older form too.
    numpy: Any = importlib.import_module("numpy")
    numpy.set_printoptions(legacy="1.25")
    bench = Bench(engine, master)
    methods = {method.name: method for method in find_methods()}
    while (name := connection.recv()) is not None:
        try:
            bench.ready(methods[name])
            connection.send("ready")
            connection.send(bench.run(methods[name]))
        except Exception as error:  # the report says why; the parent starts another child
            connection.send("ready")
            connection.send(f"the engine failed around the examples: {error!r}")
            break
    bench.stop()
    bench.checkpoints.cleanup()


# ---- in the parent: time limits and the report ---------------------------------------------------


def environment(engine: str) -> dict[str, str]:
    """The child's variables. PySpark gets what its launch scripts set; minispark needs nothing."""
    paths = [ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = dict(os.environ, PYTHONPATH=os.pathsep.join(paths))
    if engine == "pyspark":
        variables |= {"PYTHONHASHSEED": "0", "PYSPARK_PYTHON": sys.executable}
    return variables


class Child:
    """A process of its own with one engine, started again after a hang."""

    def __init__(self, engine: str, master: str, noisy: bool) -> None:
        self.arguments = (engine, master)
        self.noisy = noisy
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None

    def start(self) -> Connection:
        mine, theirs = Pipe()
        command = [sys.executable, "-m", "benchmarks.pyspark_docs", "--child", str(theirs.fileno())]
        engine, master = self.arguments
        self.process = subprocess.Popen(
            [*command, "--engine", engine, "--master", master],
            pass_fds=[theirs.fileno()],
            env=environment(engine),
            stdin=subprocess.DEVNULL,
            stdout=None if self.noisy else subprocess.DEVNULL,
            stderr=None if self.noisy else subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self.connection = mine
        return mine

    def kill(self) -> None:
        """End the process and everything that it started in its group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):  # it had ended by itself
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = self.connection = None

    def run(self, name: str, limit: float) -> str:
        """The first difference of a method, "" for none; a hang or a crash is a difference too."""
        connection = self.connection or self.start()
        try:
            connection.send(name)
            for what, seconds in (("session", START_LIMIT), ("method", limit)):
                if not connection.poll(seconds):
                    self.kill()
                    return f"the {what} did not end within {seconds:.0f} s"
                answer = str(connection.recv())
            return answer
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.kill()
            return "the driver process died"

    def stop(self) -> None:
        """Let the engine stop by itself, then end what is left."""
        if self.connection is not None and self.process is not None:
            try:
                self.connection.send(None)
                self.process.wait(START_LIMIT)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                pass  # killed below, which is all that is left to do
        self.kill()


def chosen(only: list[str] | None, everything: bool) -> list[tuple[str, str]]:
    """The (class, method) pairs that the options ask for."""
    owners = FIVE + (OTHERS if everything or only else ())
    pairs = [(method.owner, method.name) for method in find_methods() if method.owner in owners]
    if only:
        pairs = [
            (owner, name)
            for owner, name in pairs
            if owner in only or name in only or name.split(".")[-1] in only
        ]
    return sorted(pairs, key=lambda pair: owners.index(pair[0]))


def report(differences: dict[tuple[str, str], str], verbose: bool) -> int:
    """Print passes by class and the methods that differ; the number of passes."""
    total = 0
    for owner in dict.fromkeys(owner for owner, _ in differences):
        mine = {name: text for (who, name), text in differences.items() if who == owner}
        failed = {name: text for name, text in mine.items() if text}
        total += len(mine) - len(failed)
        print(f"{owner:20} {len(mine) - len(failed):4} of {len(mine)}")
        for name, text in failed.items():
            print(f"    differs: {name}")
            if verbose:
                print("        " + text.rstrip().replace("\n", "\n        "))
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--master", default="local[4]", help="as PySpark's own run: %(default)s")
    parser.add_argument("--engine", default="minispark", choices=["minispark", "pyspark"])
    parser.add_argument("--only", action="append", help="a class, a method or Class.method; again")
    parser.add_argument("--all", action="store_true", help="also the smaller classes")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a method may take")
    parser.add_argument("--verbose", action="store_true", help="show the first differing example")
    parser.add_argument("--json", metavar="FILE", help="write the differences by method")
    parser.add_argument("--noisy", action="store_true", help="show what the engine itself prints")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(Connection(options.child), options.engine, options.master)
        return

    pairs = chosen(options.only, options.all)
    runner = Child(options.engine, options.master, options.noisy)
    differences: dict[tuple[str, str], str] = {}
    begin = time.monotonic()
    for count, (owner, name) in enumerate(pairs, 1):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{count} of {len(pairs)}: {name}", end="", file=sys.stderr, flush=True)
        differences[owner, name] = runner.run(name, options.limit)
    runner.stop()
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    total = report(differences, options.verbose)
    seconds = time.monotonic() - begin
    print(f"{'total':20} {total:4} of {len(pairs)}")
    print(f"{options.engine} on {options.master}, {seconds:.0f} s")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({name: text for (_, name), text in differences.items()}, file, indent=1)


if __name__ == "__main__":
    main()
