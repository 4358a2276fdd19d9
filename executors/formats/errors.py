"""What is wrong with files, for users."""

from __future__ import annotations


class FilesError(Exception):
    """Files that are not there or not as they should be. `code` is Spark's error class."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])
