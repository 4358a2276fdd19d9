"""The Ray back end. Ray is imported in this folder and nowhere else."""

import os

# Ray reads these when it is imported. It would fold lines that tasks print into one where they
# differ in a number only, and print a long report of each death, which is ours to tell.
_DEATH = "^A worker died or was killed while executing a task"
os.environ.setdefault("RAY_DEDUP_LOGS_ALLOW_REGEX", f"(?!{_DEATH})^")
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", _DEATH)
