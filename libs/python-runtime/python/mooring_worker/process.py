"""What this process does to itself: it dies with its scorer, writes no core files, and can say how much memory it holds."""

import fcntl
import os
import resource
import select
import signal
import sys
import threading
import time

_F_SETSIG = 10
_HIGH_FD = 205
_LOOK_SECONDS = 0.005


def die_with_parent(channel_fd: int, lifeline_fd: int) -> None:
    """
    Ends this process and its children when the scorer goes away, even while a script runs. Nothing is ever sent on the
    lifeline: its other end closes with the scorer, and the kernel kills the group, whatever native code is doing.
    (PR_SET_PDEATHSIG would kill this process alone, before that, and leave its children.)
    """
    if sys.platform == "linux":
        high = fcntl.fcntl(lifeline_fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
        try:
            fcntl.fcntl(high, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(high, _F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(high, fcntl.F_SETFL, fcntl.fcntl(high, fcntl.F_GETFL) | os.O_ASYNC)
        except OSError:
            pass  # the watcher below is enough unless native code holds the interpreter's lock for ever
    os.close(lifeline_fd)
    threading.Thread(target=_watch, args=(channel_fd,), name="mooring-parent-watch", daemon=True).start()


def _watch(fd: int) -> None:
    poller = select.poll()
    poller.register(fd, 0)  # no events asked for: only hang-up and errors wake it
    while True:
        for _, event in poller.poll():
            if event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                end_group()


def end_group() -> None:
    """Kills this process with everything that it started in its session."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def no_core_files() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        pass


class ResidentMemory:
    """Resident memory of this process in KiB, looked at every few milliseconds: reading it costs more than a small call."""

    def __init__(self, watched: bool) -> None:
        self._watched = watched
        self._kib = 0
        self._seen = 0.0

    def kib(self) -> int:
        """0 where nobody watches it."""
        if self._watched and time.monotonic() - self._seen > _LOOK_SECONDS:
            self._kib = _resident_kib()
            self._seen = time.monotonic()
        return self._kib


def _resident_kib() -> int:
    """Its highest so far where /proc does not exist."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * (resource.getpagesize() // 1024)
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
