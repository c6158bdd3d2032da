"""Messages to and from the worker: a line of JSON each. The other end is src/process/message-lines.ts."""

import fcntl
import json
import os
import socket
from typing import Any, Dict, Optional

# Far above what a script opens, so that a script which closes "all" low descriptors does not close this one.
_HIGH_FD = 200
_CHUNK = 1 << 20


class Lines:
    """
    The worker's end is a unix socket that was inherited as `fd`. Belongs to the main thread of the process that made it: a child that a
    script forked and let go its own way ends here, because its parent answers and takes what comes next.
    """

    def __init__(self, fd: int) -> None:
        # Moved, and closed on exec, so that neither the script nor its children hold or guess it.
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
        os.close(fd)
        self._socket = socket.socket(fileno=high)
        self._socket.setblocking(True)
        self._rest = bytearray()
        self._owner = os.getpid()

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> Optional[Dict[str, Any]]:
        """The next message, or None when the worker has gone."""
        self._end_children()
        seen = 0
        while True:
            end = self._rest.find(b"\n", seen)
            if end >= 0:
                line = bytes(self._rest[:end])
                del self._rest[: end + 1]
                return json.loads(line)
            seen = len(self._rest)
            arrived = self._socket.recv(_CHUNK)
            if not arrived:
                return None
            self._rest += arrived

    def write(self, message: Dict[str, Any]) -> None:
        self._end_children()
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _end_children(self) -> None:
        if os.getpid() != self._owner:
            os._exit(0)
