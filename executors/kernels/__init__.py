"""What runs the ops of `planner/ops.py`."""
