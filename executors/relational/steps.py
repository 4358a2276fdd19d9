"""Importing this registers a step for every logical node."""

from __future__ import annotations

from executors.relational import nodes, scans
from planner.functions import loaded

MODULES = (nodes, scans, *loaded.MODULES)
