"""The worker's main loop: load the script, say so, answer calls one at a time until told to stop."""

import atexit
import faulthandler
import gc
import json
import os
import time
import traceback
from typing import Any, Dict

from mooring_worker import channel as frames
from mooring_worker import stdio
from mooring_worker.answer import Failure
from mooring_worker.answers import Answers
from mooring_worker.channel import Channel, reply_frame
from mooring_worker.interrupts import Interrupts
from mooring_worker.loading import LoadFailure
from mooring_worker.process import ResidentMemory, die_with_parent, end_group, no_core_files
from mooring_worker.request import Call
from mooring_worker.script import Script, load_script


def main(channel_fd: int, lifeline_fd: int, page_fd: int) -> None:
    channel = Channel(channel_fd)
    answers = Answers(channel, page_fd)
    die_with_parent(channel.fileno(), lifeline_fd)
    no_core_files()
    stdio.prepare()
    faulthandler.enable()
    first = channel.read()
    if first is None:
        return
    spec = json.loads(first[3])
    interrupts = Interrupts(channel)
    script = _load(channel, spec, interrupts)
    if script is None:
        _leave(1)
    # What loading has made lives as long as the process: no collection need walk it again.
    gc.collect()
    gc.freeze()
    _say(channel, {"type": "loaded", "interruptible": interrupts.usable(), **script.describe()})
    _serve(channel, answers, script, spec)


def _serve(channel: Channel, answers: Answers, script: Script, spec: Dict[str, Any]) -> None:
    memory = ResidentMemory(spec["watchMemory"])
    try:
        while True:
            if not channel.more():
                answers.flush()
            frame = channel.read()
            if frame is None:
                end_group()
            kind, flags, number, meta, body = frame
            if kind == frames.CONTROL:
                answers.flush()
                _leave(0)
            elif kind == frames.CANCEL:
                channel.cancelled.discard(number)
            elif answers.begin(number):
                _answer(answers, script, Call(number, flags, meta, body), spec["maxResponseBytes"], memory)
    except OSError as error:
        stdio.log(f"the connection to the platform is broken ({error}): the script must not touch descriptors that it did not open")
        _leave(1)


def _say(channel: Channel, what: Dict[str, Any]) -> None:
    channel.write(frames.CONTROL, meta=json.dumps(what).encode())


def _load(channel: Channel, spec: Dict[str, Any], interrupts: Interrupts) -> Any:
    try:
        return load_script(spec, lambda stage: _say(channel, {"type": "stage", "stage": stage}), interrupts)
    except LoadFailure as failure:
        if failure.detail:
            stdio.log(failure.detail)
        _say(channel, {"type": "loadFailed", "code": failure.code, "message": str(failure)})
        return None


def _answer(answers: Answers, script: Script, call: Call, bytes_max: int, memory: ResidentMemory) -> None:
    pid = os.getpid()
    answer = script.answer(call)
    if os.getpid() != pid:
        os._exit(0)  # a child that the script forked and let return: the answer is its parent's to give
    stdio.restore()  # before the answer, so that what was printed is in the log when the caller has it
    if len(answer.body) > bytes_max:
        times = answer.times
        answer = Failure.too_large(len(answer.body), bytes_max)
        answer.times = times
    frame = reply_frame(call.number, answer.status, answer.meta(), answer.body, answer.times, memory.kib())
    answers.put(frame, time.perf_counter_ns())


def _leave(status: int) -> None:
    """Ends without waiting for threads that the script left behind; what it registered with `atexit` still runs."""
    try:
        atexit._run_exitfuncs()
    except BaseException:  # a script's exit function may raise anything
        stdio.log(traceback.format_exc())
    stdio.restore()
    os._exit(status)
