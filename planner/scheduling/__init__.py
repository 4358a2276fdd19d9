"""The rooms of the scheduler, one floor each; `planner/scheduler.py` stands on top."""
