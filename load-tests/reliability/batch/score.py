"""A line for each file, none for those that say so; each run is written down beside the platform, so that runs can be counted."""

import os
import time

_log = os.open(os.environ["RUNS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_seconds = float(os.environ["SECONDS_PER_FILE"])
_busy = os.environ["BUSY"] == "1"


def _spend(seconds):
    if not _busy:
        time.sleep(seconds)
        return
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def init():
    pass


def run(mini_batch):
    os.write(_log, b"%08d\n" % len(mini_batch))
    lines = []
    if os.path.exists(os.environ["RUNS_LOG"] + ".broken"):
        raise RuntimeError("broken for now")
    for path in mini_batch:
        _spend(_seconds)
        with open(path) as file:
            text = file.read()
        if text != "none":
            lines.append(f"{os.path.basename(path)},{text}")
    return lines
