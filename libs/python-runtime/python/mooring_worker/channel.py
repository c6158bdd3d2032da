"""
Frames between the scorer and this worker. A head of 32 bytes, little endian (kind u8, flags u8, status u16, id u32, bytes of meta
u32, bytes of body u32, four numbers u32), then meta (JSON; most calls and answers have none), then the body. The other end is
src/frames.ts.
"""

import fcntl
import os
import select
import socket
import struct
from typing import Optional, Set, Tuple

# Kinds of frames.
CONTROL = 1  # its meta says what it is
CALL = 2
CANCEL = 3  # nobody waits for the call `id` any more
REPLY = 4
DROPPED = 5  # the call `id` will not begin here

POST = 1  # flag of a call

_HEAD = struct.Struct("<BBHIIIIIII")
_READ = struct.Struct("<BB2xIII16x")
_CHUNK = 1 << 16

# Far above what a script opens, so that a script which closes "all" low descriptors does not close this one.
_HIGH_FD = 200

# Kind, flags, id, meta, body.
Frame = Tuple[int, int, int, bytes, bytes]


def reply_frame(number: int, status: int, meta: bytes, body: bytes, times: Tuple[int, int, int], resident_kib: int) -> bytes:
    return _HEAD.pack(REPLY, 0, status, number, len(meta), len(body), *times, resident_kib) + meta + body


class Channel:
    """The scorer's end is a unix socket that was inherited as `fd`. Reading and writing belong to the main thread."""

    def __init__(self, fd: int) -> None:
        # Moved, and closed on exec, so that neither the script nor its children hold or guess it.
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
        os.close(fd)
        self._socket = socket.socket(fileno=high)
        self._socket.setblocking(True)
        # Waited for in poll and not in recv, which the kernel wakes, too, whenever the other end has read an answer: twice a call.
        self._readable = select.poll()
        self._readable.register(high, select.POLLIN)
        self._data = b""
        self._at = 0
        # Calls whose cancellation `look` has seen and `read` has not reached.
        self.cancelled: Set[int] = set()

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> Optional[Frame]:
        """The next frame, or None when the scorer has gone. One read of the socket may bring several."""
        if len(self._data) - self._at < _READ.size and not self._more():
            return None
        data = self._data
        kind, flags, number, meta_bytes, body_bytes = _READ.unpack_from(data, self._at)
        meta_from = self._at + _READ.size
        body_from = meta_from + meta_bytes
        end = body_from + body_bytes
        if end <= len(data):
            self._at = end
            return kind, flags, number, data[meta_from:body_from], data[body_from:end]
        self._at = meta_from
        meta = self._exactly(meta_bytes)
        body = None if meta is None else self._exactly(body_bytes)
        return None if meta is None or body is None else (kind, flags, number, meta, body)

    def look(self) -> None:
        """Takes in what has arrived, without waiting, and notes what was cancelled. Nothing may be reading here."""
        try:
            arrived = self._socket.recv(_CHUNK, socket.MSG_DONTWAIT)
        except OSError:
            arrived = b""
        self._data = data = self._data[self._at :] + arrived
        self._at = at = 0
        while len(data) - at >= _READ.size:
            kind, _, number, meta_bytes, body_bytes = _READ.unpack_from(data, at)
            at += _READ.size + meta_bytes + body_bytes
            if kind == CANCEL and at <= len(data):
                self.cancelled.add(number)

    def more(self) -> bool:
        """Whether a further frame has been read already, or a part of it."""
        return self._at < len(self._data)

    def send(self, frame: bytes) -> None:
        self._socket.sendall(frame)

    def write(self, kind: int, meta: bytes = b"", number: int = 0) -> None:
        self.send(_HEAD.pack(kind, 0, 0, number, len(meta), 0, 0, 0, 0, 0) + meta)

    def _more(self) -> bool:
        """Waits until there is a head. False when the scorer has gone."""
        while len(self._data) - self._at < _READ.size:
            self._readable.poll()
            arrived = self._socket.recv(_CHUNK)
            if not arrived:
                return False
            self._data = self._data[self._at :] + arrived
            self._at = 0
        return True

    def _exactly(self, size: int) -> Optional[bytes]:
        """The next `size` bytes, or None when the scorer has gone. Most of a large body comes straight from the kernel."""
        held = self._data[self._at : self._at + size]
        self._at += len(held)
        if len(held) == size:
            return held
        whole = bytearray(size)
        whole[: len(held)] = held
        rest = memoryview(whole)[len(held) :]
        while rest:
            got = self._socket.recv_into(rest)
            if got == 0:
                return None
            rest = rest[got:]
        return bytes(whole)
