"""`minispark demo`: an example script, first on worker processes, then on Ray."""

from __future__ import annotations

import argparse
import os
import sysconfig
from importlib import metadata

from minispark.command.scripts import run_script

SCRIPT = "modules_we_import.py"
_HALVES = (
    ("local[*]", "worker processes on this machine"),
    ("ray", "Ray executors"),
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this subcommand."""
    parser = commands.add_parser(
        "demo",
        help="watch it compute, lose an executor, and recover",
        description="Read Python source, rank its modules by PageRank over who imports whom, kill "
        "an executor on the way, and show what was recomputed: on worker processes, then on Ray.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        default=sysconfig.get_path("stdlib"),
        help="Python source to read; Python's standard library if not given",
    )
    parser.add_argument("--no-ray", action="store_true", help="only the first half")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the example on each back end, up to the first that fails."""
    script = example(SCRIPT)
    code = 0
    for number, (master, where) in enumerate(_HALVES[: 1 if options.no_ray else 2], 1):
        print(f"\n==== {number}. On {where} ====")
        print(f"$ minispark submit --master '{master}' {_short(script)} {options.folder}\n")
        code = run_script(script, ["--master", master, options.folder])
        if code:
            break
    return code


def example(name: str) -> str:
    """The path of an example: in the source tree, or where the installation has put it.

    The examples stay outside the package, as programs of a user. Inside, their lines would count as
    the engine's and be left out of every call site and traceback.

    Raises FileNotFoundError.
    """
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.path.join(root, "examples", name)
    if os.path.exists(path):
        return path
    for file in metadata.files("minispark") or ():
        if file.name == name:
            return os.path.realpath(file.locate())
    raise FileNotFoundError(f"the example {name} was not installed with minispark")


def _short(path: str) -> str:
    """A path as one would type it here."""
    inside = os.path.relpath(path)
    return path if inside.startswith(os.pardir) else inside
