"""
Runs the command of a pipeline's step: `python mooring_batch/run_command.py <folder of mooring_worker> <channel fd> <lifeline fd>`. Its
mini-batch is one item; its part names the files that it wrote into the folder beside the part.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections import deque
from typing import Any, Deque, Dict, IO, List

here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:1] = [here, sys.argv[1]]

from mooring_batch.lines import Lines  # noqa: E402
from mooring_batch.parts import PartNotWritten, PartWriter, ProcessSpoilt  # noqa: E402
from mooring_worker import stdio  # noqa: E402
from mooring_worker.process import die_with_parent, end_group, no_core_files  # noqa: E402

_TAIL_LINES = 8
_LINE_CHARACTERS = 300
_CHUNK = 1 << 20
_LAST_WORDS_SECONDS = 1.0


class _Failed(Exception):
    """The command's own fault, in words."""


def main(channel_fd: int, lifeline_fd: int) -> None:
    lines = Lines(channel_fd)
    die_with_parent(lines.fileno(), lifeline_fd)
    no_core_files()
    stdio.prepare()
    spec = lines.read()
    if spec is None:
        return
    lines.write({"type": "loaded"})
    while True:
        message = lines.read()
        if message is None:
            end_group()
        elif message["type"] == "stop":
            os._exit(0)
        else:
            lines.write(_run(spec, message))


def _run(spec: Dict[str, Any], message: Dict[str, Any]) -> Dict[str, Any]:
    outputs = message["part"][: -len(".part")] + ".outputs"
    try:
        _execute(spec, outputs)
        part = _written(outputs, list(spec["outputs"].values()), PartWriter(message["part"]))
        return {"type": "done", "succeeded": 1, "failed": 0, "part": part, "errors": None}
    except PartNotWritten as error:
        return {"type": "notWritten", "message": str(error)}
    except (_Failed, ProcessSpoilt) as error:
        stdio.log(str(error))
        return {"type": "raised", "message": str(error)}


def _execute(spec: Dict[str, Any], outputs: str) -> None:
    work = os.path.join(spec["workFolder"], "code")
    shutil.rmtree(work, ignore_errors=True)
    environment = dict(os.environ)
    try:
        # A copy: the store's files are everybody's.
        if spec["codeDir"] is None:
            os.makedirs(work)
        else:
            shutil.copytree(spec["codeDir"], work, symlinks=True)
        for variable, output in spec["outputs"].items():
            folder = os.path.join(outputs, output["name"])
            os.makedirs(folder)
            environment[variable] = os.path.join(folder, output["name"]) if output["isFile"] else folder
    except OSError as error:
        raise PartNotWritten("the folders of the command could not be made: %s" % error) from None
    shell = shutil.which("bash", path=environment.get("PATH")) or "/bin/sh"
    try:
        command = [shell, "-c", spec["line"]]
        child = subprocess.Popen(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except OSError as error:
        raise _Failed("the command could not be started: %s" % error) from None
    tail: Deque[str] = deque(maxlen=_TAIL_LINES)
    reader = threading.Thread(target=_copy, args=(child.stderr, tail), daemon=True)
    reader.start()
    code = child.wait()
    # What it left in the background may hold its stream open.
    reader.join(_LAST_WORDS_SECONDS)
    shutil.rmtree(work, ignore_errors=True)
    if code != 0:
        how = "exited with %d" % code if code > 0 else "was ended by signal %d" % -code
        raise _Failed("\n".join(["the command %s" % how, *list(tail)]))


def _copy(stream: IO[bytes], tail: Deque[str]) -> None:
    for line in iter(lambda: stream.readline(1 << 16), b""):
        text = line.decode("utf-8", errors="backslashreplace").rstrip("\n")
        tail.append(text[:_LINE_CHARACTERS])
        stdio.log(text)


def _written(root: str, outputs: List[Dict[str, Any]], part: PartWriter) -> Any:
    """A line for each file, in the order of their paths; all of it is on disk then."""
    folders = [root]
    for output in sorted(outputs, key=lambda one: one["name"]):
        name = output["name"]
        _check_folder(root, name)
        for folder, below, files in os.walk(os.path.join(root, name), onerror=_unreadable):
            below.sort()
            folders.append(folder)
            for file in sorted([*files, *[one for one in below if os.path.islink(os.path.join(folder, one))]]):
                path = os.path.join(folder, file)
                relative = os.path.relpath(path, root)
                _check(path, relative, output)
                size, digest = _synced(path)
                part.line(json.dumps({"output": name, "file": relative, "bytes": size, "sha256": digest}))
    for folder in folders:
        _sync_folder(folder)
    return part.close()


def _check_folder(root: str, name: str) -> None:
    """Walking through a link, everything behind it would be the command's output: secrets, too."""
    if os.path.islink(root) or os.path.islink(os.path.join(root, name)):
        raise _Failed("the folder of the output '%s' was replaced by a link" % name)


def _check(path: str, relative: str, output: Dict[str, Any]) -> None:
    shown = relative.encode("utf-8", errors="backslashreplace").decode("utf-8")
    if shown != relative or any(ord(character) < 32 or ord(character) == 127 for character in relative):
        raise _Failed("the output '%s' holds a file whose name is no plain text: %r" % (output["name"], shown))
    mode = os.lstat(path).st_mode
    if not stat.S_ISREG(mode):
        what = "a link" if stat.S_ISLNK(mode) else "no plain file"
        raise _Failed("the output '%s' holds %s, which is %s" % (output["name"], shown, what))
    if output["isFile"] and relative != os.path.join(output["name"], output["name"]):
        raise _Failed("the output '%s' is one file, and the command wrote %s beside it" % (output["name"], shown))


def _synced(path: str) -> Any:
    digest = hashlib.sha256()
    size = 0
    try:
        with open(path, "rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                digest.update(chunk)
                size += len(chunk)
            os.fsync(file.fileno())
    except OSError as error:
        raise PartNotWritten("%s: %s" % (path, error.strerror)) from None
    return size, digest.hexdigest()


def _sync_folder(folder: str) -> None:
    try:
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except FileNotFoundError:
        pass  # a component without outputs has none
    except OSError as error:
        raise PartNotWritten("%s: %s" % (folder, error.strerror)) from None


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise _Failed("an output cannot be read: %s" % error)


main(*map(int, sys.argv[2:4]))
