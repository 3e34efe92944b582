"""A small disk, and what fills it."""

import errno
from pathlib import Path


class Ballast:
    """A file that takes all the space there is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError as problem:
                    assert problem.errno == errno.ENOSPC, problem

    def drop(self) -> None:
        self._path.unlink()
