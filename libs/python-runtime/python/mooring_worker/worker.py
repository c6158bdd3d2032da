"""The worker's main loop: load the script, say so, answer calls one at a time until told to stop."""

import atexit
import faulthandler
import os
import traceback
from typing import Any, Dict

from mooring_worker import stdio
from mooring_worker.answer import Failure
from mooring_worker.channel import Channel
from mooring_worker.interrupts import Interrupts
from mooring_worker.process import die_with_parent, end_group, no_core_files, resident_kib
from mooring_worker.request import make_request
from mooring_worker.script import LoadFailure, Script, load_script


def main(channel_fd: int, lifeline_fd: int) -> None:
    channel = Channel(channel_fd)
    die_with_parent(channel.fileno(), lifeline_fd)
    no_core_files()
    stdio.prepare()
    faulthandler.enable()
    first = channel.read()
    if first is None:
        return
    spec, _ = first
    interrupts = Interrupts()
    script = _load(channel, spec, interrupts)
    if script is None:
        _leave(1)
    channel.write({"type": "loaded", "interruptible": interrupts.usable(), **script.describe()})
    while True:
        frame = channel.read()
        if frame is None:
            end_group()
        meta, body = frame
        if meta["type"] == "stop":
            _leave(0)
        try:
            _answer(channel, script, spec, meta, body)
        except OSError as error:
            stdio.log(f"the connection to the platform is broken ({error}): the script must not touch descriptors that it did not open")
            _leave(1)


def _load(channel: Channel, spec: Dict[str, Any], interrupts: Interrupts) -> Any:
    try:
        return load_script(spec, lambda stage: channel.write({"type": "stage", "stage": stage}), interrupts)
    except LoadFailure as failure:
        if failure.detail:
            stdio.log(failure.detail)
        channel.write({"type": "loadFailed", "code": failure.code, "message": str(failure)})
        return None


def _answer(channel: Channel, script: Script, spec: Dict[str, Any], meta: Dict[str, Any], body: bytes) -> None:
    pid = os.getpid()
    answer = script.answer(make_request(meta, body))
    if os.getpid() != pid:
        os._exit(0)  # a child that the script forked and let return: the answer is its parent's to give
    stdio.restore()  # before the answer, so that what was printed is in the log when the caller has it
    limit = spec["maxResponseBytes"]
    if len(answer.body) > limit:
        answer = Failure.too_large(len(answer.body), limit).with_times_of(answer)
    reply = {
        "type": "reply",
        "id": meta["id"],
        "status": answer.status,
        "contentType": answer.content_type,
        "headers": answer.headers,
        "reason": answer.reason,
        "message": answer.message,
        "preprocessUs": answer.preprocess_us,
        "computeUs": answer.compute_us,
        "postprocessUs": answer.postprocess_us,
    }
    if spec["watchMemory"]:
        reply["residentKib"] = resident_kib()
    channel.write(reply, answer.body)


def _leave(status: int) -> None:
    """Ends without waiting for threads that the script left behind; what it registered with `atexit` still runs."""
    try:
        atexit._run_exitfuncs()
    except BaseException:  # a script's exit function may raise anything
        stdio.log(traceback.format_exc())
    stdio.restore()
    os._exit(status)
