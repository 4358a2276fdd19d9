"""Importing this registers a step for every logical node."""

from __future__ import annotations

from executors.relational import generate, nodes, sampling, scans, sets, states, windows
from planner.columns.functions import loaded

MODULES = (generate, nodes, sampling, scans, sets, states, windows, *loaded.MODULES)
