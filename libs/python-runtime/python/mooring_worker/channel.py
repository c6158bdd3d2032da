"""Frames between the scorer and this worker: `<u32 meta length><u32 body length><meta: JSON><body: bytes>`, little endian."""

import fcntl
import json
import os
import socket
import struct
from typing import Any, Dict, Optional, Tuple

_HEAD = struct.Struct("<II")

# Far above what a script opens, so that a script which closes "all" low descriptors does not close this one.
_HIGH_FD = 200

Frame = Tuple[Dict[str, Any], bytes]


class Channel:
    """The scorer's end is a unix socket that was inherited as `fd`. Reading and writing belong to the main thread."""

    def __init__(self, fd: int) -> None:
        # Moved, and closed on exec, so that neither the script nor its children hold or guess it.
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
        os.close(fd)
        self._socket = socket.socket(fileno=high)
        self._socket.setblocking(True)
        self._reader = self._socket.makefile("rb", buffering=1 << 16)

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> Optional[Frame]:
        """The next frame, or None when the scorer has gone."""
        head = self._reader.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        meta_length, body_length = _HEAD.unpack(head)
        meta = self._reader.read(meta_length)
        body = self._reader.read(body_length)
        if len(meta) < meta_length or len(body) < body_length:
            return None
        return json.loads(meta), body

    def write(self, meta: Dict[str, Any], body: bytes = b"") -> None:
        text = json.dumps(meta).encode()
        head = _HEAD.pack(len(text), len(body)) + text
        if len(body) < 1 << 16:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
