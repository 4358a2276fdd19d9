"""The command line, as a user meets it: processes, their output and their exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from minispark.command.demo import SCRIPT, example

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`minispark arguments…` in a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-m", "minispark.command.main", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path, "MINISPARK_MASTER": "local[2]", **environment},
    )


def script(folder: Path, text: str, name: str = "job.py") -> str:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return str(path)


# ---- the command itself --------------------------------------------------------------------------


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("minispark ")


def test_help_names_the_commands_and_loads_no_engine() -> None:
    listing = "import sys; from minispark.command.main import parser; parser().format_help();"
    listing += "print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout.split()
    assert "minispark.command.main" in loaded
    assert not {"numpy", "pyarrow", "ray", "cloudpickle", "minispark.context"} & set(loaded)
    help_text = run("--help").stdout
    assert all(command in help_text for command in ("submit", "shell", "demo"))


def test_no_command_is_an_error() -> None:
    done = run()
    assert done.returncode == 2 and "usage: minispark" in done.stderr


# ---- submit --------------------------------------------------------------------------------------


def test_a_script_runs_as_python_would_run_it(tmp_path: Path) -> None:
    script(tmp_path, "WORD = 'found'", "beside.py")
    path = script(
        tmp_path,
        """
        import sys
        import beside
        from minispark import SparkContext

        class Point:  # of __main__: it must reach the tasks and come back as this very class
            def __init__(self, x):
                self.x = x

        print(sys.argv, __name__, __file__, beside.WORD)
        with SparkContext() as sc:
            points = sc.range(3).map(Point).collect()
            print([point.x for point in points], isinstance(points[0], Point))
        sys.exit(7)
        """,
    )
    done = run("submit", path, "one", "--master", "mine")
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == [
        f"{[path, 'one', '--master', 'mine']} __main__ {path} found",
        "[0, 1, 2] True",
    ]
    assert done.stderr == ""


def test_options_are_defaults_and_the_script_wins(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from minispark import SparkConf, SparkContext
        conf = SparkConf().set("spark.default.parallelism", 5)
        with SparkContext(conf=conf) as sc:
            print(sc.master, sc.appName, sc.defaultParallelism)
            print(sc.getConf().get("spark.task.maxFailures"))
        """,
    )
    options = ["-c", "spark.default.parallelism=3", "--conf", "spark.task.maxFailures=2"]
    done = run("submit", "--master", "inline[3]", *options, path)
    assert done.stdout == "inline[3] job.py 5\n2\n", done.stderr
    named = run("submit", "--master", "inline", "--name", "nightly", path)
    assert named.stdout == "inline nightly 5\nNone\n", named.stderr


def test_py_files_are_there_before_the_context_and_in_tasks(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    script(folder, "def twice(x): return 2 * x", "doubling.py")
    script(folder, "", "neighbour.py")
    path = script(
        tmp_path,
        """
        import doubling
        from minispark import SparkContext
        with SparkContext() as sc:
            print(sc.range(3).map(lambda x: doubling.twice(x)).collect())
        import neighbour
        """,
    )
    done = run("submit", "--py-files", str(folder / "doubling.py"), path)
    assert done.stdout == "[0, 2, 4]\n"
    assert done.returncode == 1 and "No module named 'neighbour'" in done.stderr


FAILS_IN_A_TASK = """
    from minispark import SparkContext
    def broken(x):
        return 1 / x
    SparkContext().range(3).map(broken).collect()
"""


def test_a_failing_task_shows_the_users_code_only(tmp_path: Path) -> None:
    path = script(tmp_path, FAILS_IN_A_TASK)
    done = run("submit", path)
    assert done.returncode == 1 and done.stdout == ""
    files = [line for line in done.stderr.splitlines() if line.startswith("  File ")]
    assert [line.split(", line ")[0] for line in files] == [f'  File "{path}"'] * 2
    assert "in broken" in files[0] and "in <module>" in files[1]
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "map at job.py:5" in done.stderr
    whole = run("submit", path, MINISPARK_FULL_TRACEBACK="1")
    assert "minispark/session.py" in whole.stderr.replace(os.sep, "/")


def test_a_failing_script_shows_its_own_traceback(tmp_path: Path) -> None:
    done = run("submit", script(tmp_path, "def f():\n    raise KeyError('lost')\nf()\n"))
    assert done.returncode == 1
    assert "in <module>" in done.stderr and "KeyError: 'lost'" in done.stderr
    assert "minispark" not in done.stderr.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("import sys; sys.exit('out of milk')", 1, "out of milk"),
        ("import sys; sys.exit()", 0, ""),
        ("x = = 2", 1, "SyntaxError"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
    ],
)
def test_exit_codes(tmp_path: Path, text: str, code: int, message: str) -> None:
    done = run("submit", script(tmp_path, text))
    assert (done.returncode, message in done.stderr) == (code, True)


def test_a_script_that_is_not_there() -> None:
    done = run("submit", "nowhere.py")
    assert done.returncode == 2
    assert done.stderr.startswith("minispark submit: ") and "nowhere.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_options(tmp_path: Path) -> None:
    path = script(tmp_path, "print('ran')")
    bad = run("submit", "--conf", "nothing", path)
    assert bad.returncode == 2 and "'nothing' is not KEY=VALUE" in bad.stderr
    gone = run("submit", "--py-files", "nowhere.py", path)
    assert gone.returncode == 2 and "nowhere.py" in gone.stderr and gone.stdout == ""
    master = script(tmp_path, "from minispark import SparkContext; SparkContext()")
    unknown = run("submit", "--master", "yarn", master)
    assert unknown.returncode == 1 and "Could not parse Master URL: 'yarn'" in unknown.stderr


# ---- shell ---------------------------------------------------------------------------------------

TALK = """\
print("sum", sc.range(5).map(lambda x: x + 1).sum(), spark.sparkContext is sc)
class Thing: pass

print("thing", type(sc.range(1).map(lambda x: Thing()).first()) is Thing)
sc.range(2).map(lambda x: 1 / x).collect()
print("on we go")
"""


@pytest.mark.parametrize("prompt", ["plain", "ipython"])
def test_shell(prompt: str) -> None:
    if prompt == "ipython":
        pytest.importorskip("IPython")
    options = ["--plain"] if prompt == "plain" else []
    done = run("shell", "--master", "local[2]", *options, stdin=TALK)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "master local[2] (2 tasks at a time)" in said
    for line in ("sum 15 True", "thing True", "on we go"):
        assert line in said
    assert "ZeroDivisionError" in said
    if prompt == "ipython":
        assert "minispark/session.py" not in said.replace(os.sep, "/")


# ---- demo ----------------------------------------------------------------------------------------


def test_the_demo_loses_an_executor_and_says_so() -> None:
    done = run("demo", "--no-ray", str(ROOT / "planner"))
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "The answer is the same" in said
    assert "Exchange Hash" in said, "the stages are shown before they run"
    assert "[kept: " in said
    report = said[said.index("fault: kill before write") :]
    assert "lost: " in report and "cached partition" in report
    assert "recomputed: " in report
    assert "modules_we_import.py" in report, "what was lost is named by the user's line"


def test_the_second_half_of_the_demo(ray_here: None) -> None:
    """What the demo runs on Ray, on the Ray of this test run."""
    import ray

    address = ray.get_runtime_context().gcs_address
    path, folder = str(ROOT / "examples" / SCRIPT), str(ROOT / "planner")
    done = run("submit", "--master", "ray", path, folder, RAY_ADDRESS=address)
    assert done.returncode == 0, done.stderr
    assert "Ray starts its own services first" in done.stdout
    report = done.stdout[done.stdout.index("fault: kill before write") :]
    assert "lost: " in report and "recomputed: " in report


def test_the_demo_says_when_there_is_nothing_to_read(tmp_path: Path) -> None:
    done = run("demo", "--no-ray", str(tmp_path))
    assert done.returncode == 1 and f"no Python file below {tmp_path}" in done.stderr


def test_the_demo_is_the_example_of_the_source_tree() -> None:
    assert Path(example(SCRIPT)) == ROOT / "examples" / SCRIPT
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        example("nothing.py")
