"""The notebook runs top to bottom, and shows what it says it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "recompute_on_failure.ipynb"


def text_of(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def run(notebook: Any, **options: Any) -> dict[str, Any]:
    """The cells by id, after a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        folder = {"metadata": {"path": str(NOTEBOOK.parent)}}
        NotebookClient(notebook, timeout=120, resources=folder, **options).execute()
    return {cell.id: cell for cell in notebook.cells}


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    return run(nbformat.read(NOTEBOOK, as_version=4))


def test_the_kill_went_off_once_and_the_centres_are_the_same(cells: dict[str, Any]) -> None:
    fired, same = text_of(cells["kill"]).splitlines()
    assert re.fullmatch(r"kill before write: stage \d+ partition \d attempt 0 on worker-\d", fired)
    assert same == "the same centres: True"


def test_the_report_says_what_was_lost_and_recomputed(cells: dict[str, Any]) -> None:
    report = text_of(cells["report"])
    found = {
        word: re.search(
            rf"{word}: \d cached partitions? \(cache at .*, partitions? ([\d, ]+)\)", report
        )
        for word in ("lost", "recomputed")
    }
    lost, recomputed = (
        set(match.group(1).split(", ")) if match else set() for match in found.values()
    )
    assert 0 < len(lost) < 4, report
    assert recomputed == lost, report
    assert "executor lost: " in report and "SIGKILL" in report
    assert report.rstrip().endswith("lost or ran again: [6]"), report


def test_there_is_a_plot_of_ten_iterations(cells: dict[str, Any]) -> None:
    (output,) = cells["plot"].outputs
    assert len(output.data["image/png"]) > 5000
    assert len(re.findall(r"0\.\d+", text_of(cells["step"]))) == 10


def test_the_stored_outputs_are_of_a_real_run() -> None:
    stored = {cell.id: cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    assert "the same centres: True" in text_of(stored["kill"])
    assert "image/png" in stored["plot"].outputs[0].data
    assert "recomputed: " in text_of(stored["report"])


def test_errors_of_tasks_show_no_engine_frames() -> None:
    code = {
        "start": "from minispark import SparkContext\nsc = SparkContext('local[1]')",
        "task": "def broken(n):\n    return 1 / n\nsc.range(2).map(broken).collect()",
        "here": "sc.parallelize([1], -1)",
        "stop": "sc.stop()",
    }
    cells = [nbformat.v4.new_code_cell(text, id=name) for name, text in code.items()]
    after = run(nbformat.v4.new_notebook(cells=cells), allow_errors=True)
    assert not after["start"].outputs and not after["stop"].outputs
    (task,) = after["task"].outputs
    shown = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(task.traceback))
    assert task.ename == "ZeroDivisionError"
    assert "in broken" in shown and "map at <notebook cell>:3" in shown
    assert "minispark/" not in shown and "executors/" not in shown
    (here,) = after["here"].outputs
    assert "minispark/sources.py" in "\n".join(here.traceback), "not of a task: nothing is hidden"
