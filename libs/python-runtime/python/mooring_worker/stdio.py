"""The script's standard streams: lines appear at once, and a script that closes them does not take its log away."""

import os
import select
import sys
from typing import List

_HIGH_FD = 210
_kept: List[int] = []
_open = select.poll()


def prepare() -> None:
    import fcntl

    for fd in (0, 1, 2):
        _kept.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD))
        _open.register(fd, 0)
    for stream in (sys.stdout, sys.stderr):
        # One write per line: unbuffered streams write the text and its line end apart, and lines of workers would mix.
        stream.reconfigure(line_buffering=True, write_through=False, errors="backslashreplace")


def restore() -> None:
    """Flushes, and opens again what the script has closed."""
    for fd, state in _open.poll(0):
        if state & select.POLLNVAL:
            os.dup2(_kept[fd], fd, inheritable=True)
    sys.stdout = _flushed(sys.stdout, 1)
    sys.stderr = _flushed(sys.stderr, 2)


def _flushed(stream, fd):  # type: ignore[no-untyped-def]
    try:
        stream.flush()
        return stream
    except (OSError, ValueError, AttributeError):
        return open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def log(text: str) -> None:
    """A line to the script's log; never raises."""
    restore()
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass
