"""Files of the parts folder: written whole, hashed on the way, on disk before they are named to anybody."""

import errno
import hashlib
import json
import os
from typing import Any, BinaryIO, Dict, Optional


# What a script did to its own process: it holds all files that it may, closed those of others, or gave its rights away.
_OWN_FAULTS = {errno.EMFILE, errno.EBADF, errno.EFBIG, errno.EACCES, errno.EPERM}


class PartNotWritten(Exception):
    """The disk refused, which is no fault of the script."""


class ProcessSpoilt(Exception):
    """The process cannot write any more, which no further try of it mends."""


def _refused(path: str, error: OSError) -> Exception:
    if error.errno in _OWN_FAULTS:
        return ProcessSpoilt(f"what was scored could not be written, because of what the script did to its process: {error.strerror}")
    return PartNotWritten(f"{path}: {error.strerror}")


class PartWriter:
    """A file of lines. It is made with its first line; without one there is none."""

    def __init__(self, path: Optional[str]) -> None:
        self._path = path
        self._file: Optional[BinaryIO] = None
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._lines = 0

    def line(self, text: str) -> None:
        """`text` holds no line end. A part without a path keeps nothing."""
        if self._path is None:
            return
        # A lone surrogate is no text; it is shown as what it is.
        data = text.encode("utf-8", errors="backslashreplace") + b"\n"
        try:
            if self._file is None:
                self._file = open(self._path, "xb", buffering=1 << 18)
            self._file.write(data)
        except OSError as error:
            raise _refused(self._path, error) from None
        self._hash.update(data)
        self._bytes += len(data)
        self._lines += 1

    def close(self) -> Optional[Dict[str, Any]]:
        """What was written, now on disk; None where nothing was."""
        if self._file is None or self._path is None:
            return None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise _refused(self._path, error) from None
        return {"bytes": self._bytes, "lines": self._lines, "sha256": self._hash.hexdigest()}


class ErrorWriter:
    """The failed items of one mini-batch, a line each."""

    def __init__(self, path: str, runs: int) -> None:
        self._part = PartWriter(path)
        self._runs = runs
        self.count = 0

    def add(self, item: int, source: str, reason: str, message: str) -> None:
        error = {"item": item, "source": source, "reason": reason, "message": message, "runs": self._runs}
        self._part.line(json.dumps(error, ensure_ascii=False))
        self.count += 1

    def close(self) -> Optional[Dict[str, Any]]:
        return self._part.close()
