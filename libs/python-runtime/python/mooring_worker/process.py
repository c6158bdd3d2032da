"""What this process does to itself: it dies with its scorer, writes no core files, and can say how much memory it holds."""

import ctypes
import os
import resource
import select
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def die_with_parent(channel_fd: int) -> None:
    """Ends this process and its children when the scorer's end of the channel closes, even while a script runs."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        except (OSError, AttributeError):
            pass  # the watcher below is enough unless native code holds the interpreter's lock for ever
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


def resident_kib() -> int:
    """Resident memory of this process in KiB; its highest so far where /proc does not exist."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * (resource.getpagesize() // 1024)
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
