"""The main loop of a job's process: load the script, say so, run mini-batches one at a time until told to stop."""

import atexit
import faulthandler
import os
import sys
import traceback
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional

from mooring_batch.files import check, unnamed
from mooring_batch.lines import Lines
from mooring_batch.parts import ErrorWriter, PartNotWritten, PartWriter, ProcessSpoilt
from mooring_batch.results import WrongResult, lines_of
from mooring_worker import stdio
from mooring_worker.loading import LoadFailure, call_init, hidden_folders, import_script, script_traceback, set_path, short
from mooring_worker.process import die_with_parent, end_group, no_core_files

_TRACEBACK_LINES = 8
_MESSAGE_CHARACTERS = 2_000


def main(here: str, channel_fd: int, lifeline_fd: int) -> None:
    lines = Lines(channel_fd)
    die_with_parent(lines.fileno(), lifeline_fd)
    no_core_files()
    stdio.prepare()
    faulthandler.enable()
    spec = lines.read()
    if spec is None:
        return
    try:
        module = _load(here, spec)
    except LoadFailure as failure:
        if failure.detail:
            stdio.log(failure.detail)
        lines.write({"type": "loadFailed", "code": failure.code, "message": str(failure)})
        _leave(1)
    lines.write({"type": "loaded"})
    _serve(lines, module)


def _load(here: str, spec: Dict[str, Any]) -> ModuleType:
    os.chdir(spec["codeDir"])
    path = os.path.join(spec["codeDir"], spec["scoringScript"])
    hidden_folders.append(os.path.join(here, "mooring_batch"))
    sys.path.remove(here)
    set_path(spec["codeDir"], os.path.dirname(path))
    sys.path.append(os.path.join(here, "shims"))
    # As Azure starts it: scripts read what they know of these with parse_known_args.
    sys.argv[:] = [path, *spec["arguments"]]
    module = import_script(path)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            what = "a batch scoring script defines init() and run(mini_batch)"
            raise LoadFailure("UserScriptFunctionNotFound", f"{spec['scoringScript']} has no function {name}(): {what}")
    call_init(module.init)
    return module


def _serve(lines: Lines, module: ModuleType) -> None:
    try:
        while True:
            message = lines.read()
            if message is None:
                end_group()
            elif message["type"] == "stop":
                _shut_down(module)
                _leave(0)
            else:
                answer = _run(module.run, message)
                stdio.restore()  # before the answer, so that what was printed is in the log by then
                lines.write(answer)
    except OSError as error:
        stdio.log(f"the connection to the platform is broken ({error}): the script must not touch descriptors that it did not open")
        _leave(1)


def _run(run: Callable[[List[str]], Any], message: Dict[str, Any]) -> Dict[str, Any]:
    """Never raises: whatever `run` does short of ending the process becomes an answer."""
    try:
        return _score(run, message)
    except PartNotWritten as error:
        return {"type": "notWritten", "message": str(error)}
    except ProcessSpoilt as error:
        stdio.log(str(error))
        return {**_raised(str(error)), "spoilt": True}
    except WrongResult as error:
        stdio.log(str(error))
        return _raised(str(error))
    except BaseException as error:
        trace = script_traceback(error)
        stdio.log(trace)
        what = f"run() raised {short(error)}"
        frames = trace.splitlines()[1:-1][-_TRACEBACK_LINES:] if error.__traceback__ else []
        return _raised("\n".join([what, *frames]))


def _score(run: Callable[[List[str]], Any], message: Dict[str, Any]) -> Dict[str, Any]:
    batch = message["batch"]
    errors = ErrorWriter(message["errors"], message["runs"])
    part = PartWriter(message["part"])
    places = _whole_files(batch, errors)
    if places:
        files = [batch["files"][place] for place in places]
        pid = os.getpid()
        result = run([file["localPath"] for file in files])
        if os.getpid() != pid:
            os._exit(0)  # a child that the script forked and let return: the answer is its parent's to give
        count, texts = lines_of(result)
        _write(texts, part, count, files, places, batch["firstItem"], errors)
    written = part.close()
    succeeded = len(batch["files"]) - errors.count
    return {"type": "done", "succeeded": succeeded, "failed": errors.count, "part": written, "errors": errors.close()}


def _whole_files(batch: Dict[str, Any], errors: ErrorWriter) -> List[int]:
    places = []
    for place, file in enumerate(batch["files"]):
        problem = check(file)
        if problem is None:
            places.append(place)
        else:
            errors.add(batch["firstItem"] + place, file["path"], *problem)
    return places


def _write(
    texts: Any,
    part: PartWriter,
    count: int,
    files: List[Dict[str, Any]],
    places: List[int],
    first: int,
    errors: ErrorWriter,
) -> None:
    """More results than files are lines like any others: a script may give several for a file."""
    fewer = count < len(files)
    kept: List[str] = []
    for text in texts:
        part.line(text)
        if fewer:
            kept.append(text)
    if fewer:
        _miss(files, kept, places, first, errors)


def _miss(files: List[Dict[str, Any]], results: List[str], places: List[int], first: int, errors: ErrorWriter) -> None:
    what = f"run() returned {len(results)} results for {len(files)} files"
    missing: Optional[List[int]] = unnamed(files, results)
    if missing is not None:
        for place in missing:
            errors.add(first + places[place], files[place]["path"], "ScriptReturnedFewer", f"{what} and none for this one")
        return
    # Which ones is not known, so the first and the last file stand for all: an item is counted, not blamed.
    source = f"{files[0]['path']} .. {files[-1]['path']}"
    for place in range(len(results), len(files)):
        errors.add(
            first + places[place], source, "ScriptReturnedFewer", f"{what}: which have none is known when each result names its file"
        )


def _raised(message: str) -> Dict[str, Any]:
    return {"type": "raised", "message": message[:_MESSAGE_CHARACTERS]}


def _shut_down(module: ModuleType) -> None:
    shutdown = getattr(module, "shutdown", None)
    if not callable(shutdown):
        return
    try:
        shutdown()
    except BaseException as error:
        stdio.log(script_traceback(error))


def _leave(status: int) -> None:
    """Ends without waiting for threads that the script left behind; what it registered with `atexit` still runs."""
    try:
        atexit._run_exitfuncs()
    except BaseException:  # a script's exit function may raise anything
        stdio.log(traceback.format_exc())
    stdio.restore()
    os._exit(status)
