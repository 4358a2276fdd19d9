"""The example makes its data, runs all queries, and checks the answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / "tpch.py"), "--data", str(folder), *words],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_the_answers_are_the_recorded_ones(tmp_path: Path) -> None:
    done = run(tmp_path, "--scale", "0.01", "--master", "local[2]")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" rows ") == 22
    assert done.stdout.rstrip().endswith("all answers are right")


def test_at_another_scale_both_ways_agree(tmp_path: Path) -> None:
    done = run(tmp_path, "--scale", "0.002", "--master", "inline[2]")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("all answers are right")
