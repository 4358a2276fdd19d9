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


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    """The cells by id, after a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        folder = {"metadata": {"path": str(NOTEBOOK.parent)}}
        NotebookClient(notebook, timeout=120, resources=folder).execute()
    return {cell.id: cell for cell in notebook.cells}


def test_the_kill_went_off_once_and_the_centres_are_the_same(cells: dict[str, Any]) -> None:
    fired, same = text_of(cells["kill"]).splitlines()
    assert re.fullmatch(r"kill before write: stage \d+ partition \d attempt 0 on worker-\d", fired)
    assert same == "the same centres: True"


def test_the_report_says_what_was_lost_and_recomputed(cells: dict[str, Any]) -> None:
    report = text_of(cells["report"])
    found = {
        word: re.search(rf"{word}: \d cached partitions? \(cache at .*: ([\d, ]+)\)", report)
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
