"""Storage levels, under the module name that PySpark programs import them from."""

from planner.levels import StorageLevel

__all__ = ["StorageLevel"]
