"""The README's example prints what the README says it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPORT = re.compile(r"^job \d", re.MULTILINE)


def blocks(heading: str = "## Ten lines") -> tuple[str, str]:
    """The program below a heading, and its output."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index(heading) :]
    found = re.search(r"```python\n(.*?)```.*?```\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1], found[2]


def parts(output: str) -> tuple[str, str]:
    """What comes before the recovery report, and the report."""
    found = REPORT.search(output)
    assert found is not None, output
    return output[: found.start()], output[found.start() :]


def shape(report: str) -> str:
    """A recovery report without what differs between runs: seconds, and which worker had what."""
    words = re.sub(r"\d+ (cached partition|shuffle output|running task)s?", r"some \1", report)
    words = re.sub(r", partitions? \d+(, \d+)*\)", ", some)", words)
    return re.sub(r"\d+\.\d+ s", "some seconds", re.sub(r"worker-\d+", "a worker", words))


def test_the_example_is_ten_lines() -> None:
    program, _ = blocks()
    assert len([line for line in program.splitlines() if line]) <= 10


def test_the_example_prints_what_is_shown(tmp_path: Path) -> None:
    program, shown = blocks()
    script = tmp_path / "ten_lines.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0 and done.stderr == ""
    plan, report = parts(done.stdout)
    plan_shown, report_shown = parts(shown)
    assert plan == plan_shown
    printed, expected = shape(report).splitlines(), shape(report_shown).splitlines()
    # Which worker kept what is a race between them, so it may have been the only one to keep it.
    certain = [line for line in expected if "cached partition" not in line]
    assert [line for line in printed if "cached partition" not in line] == certain
    assert set(printed) <= set(expected)


def test_the_example_of_dataframes_prints_what_is_shown(tmp_path: Path) -> None:
    program, shown = blocks("## DataFrames and SQL")
    script = tmp_path / "frames.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout.strip()) == (0, shown.strip()), done.stderr


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_files_named_in_the_docs_exist() -> None:
    """Paths in backquotes that look like files of this project are files of this project."""
    pattern = r"`((?:minispark|planner|executors|tests|benchmarks|examples|notebooks)/[\w/.]+)`"
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for path in re.findall(pattern, page.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), f"{page.name}: {path}"


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench"])
def test_make_targets_of_the_readme_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
