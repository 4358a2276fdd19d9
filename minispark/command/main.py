"""The command line: which subcommand, with which options.

Nothing of the engine is loaded here, so that `minispark --help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from minispark.command import demo, shell, submit
from minispark.version import __version__


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(
        prog="minispark",
        description="Spark's programming model in Python, without a JVM.",
    )
    whole.add_argument("--version", action="version", version=f"minispark {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for subcommand in (submit, shell, demo):
        subcommand.add_to(commands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows `minispark`; by default what this process was given.

    Returns
    -------
    int
        The exit code: 0 if all went well.
    """
    options = parser().parse_args(arguments)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
