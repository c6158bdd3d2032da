"""Answers on their way to the scorer, and what it may know of this process without being told."""

import mmap
import os
import struct

from mooring_worker.channel import DROPPED, Channel

# Number of the call that was begun last, bytes of answers that follow; written by the scorer: first of the calls that it has
# taken back, how many they are.
_HEAD = struct.Struct("<IIII")
_NUMBER = struct.Struct("<I")
_RECALLED = struct.Struct("<8xII")
# So long may an answer wait for the next ones.
_HOLD_NS = 200_000


class Answers:
    """
    While more calls are there, answers wait for each other and leave together: each one sent wakes the scorer, which costs more than
    a short call. Until then they lie in memory that the scorer reads when this process is gone or a call takes long, together with
    the number of the call that was begun last; so nothing that was answered is lost, and nothing that has begun begins again
    elsewhere. The other end is src/shared-page.ts.
    """

    def __init__(self, channel: Channel, page_fd: int) -> None:
        self._channel = channel
        self._page = mmap.mmap(page_fd, 0)
        os.close(page_fd)
        self._end = _HEAD.size
        self._since = 0

    def begin(self, number: int) -> bool:
        """Says that a call begins. False when the scorer has taken it back: then it must not."""
        if self._recalled(number):
            return False
        _NUMBER.pack_into(self._page, 0, number)
        # The scorer writes what it takes back and then reads what has begun; here it is the other way round, so one of both sees
        # the other's. A system call lies between, so that the write is out before the read.
        os.getppid()
        if not self._recalled(number):
            return True
        self._channel.write(DROPPED, number=number)  # it may have seen it begin
        return False

    def _recalled(self, number: int) -> bool:
        first, count = _RECALLED.unpack_from(self._page)
        return (number - first) & 0xFFFFFFFF < count

    def put(self, frame: bytes, now_ns: int) -> None:
        end = self._end + len(frame)
        waits = self._channel.more() and end <= len(self._page)
        if self._end == _HEAD.size:
            if not waits:
                self._channel.send(frame)
                return
            self._since = now_ns
        if not waits and end > len(self._page):
            self.flush()
            self._channel.send(frame)
            return
        self._page[self._end : end] = frame
        self._end = end
        _NUMBER.pack_into(self._page, 4, end - _HEAD.size)
        if not waits or now_ns - self._since > _HOLD_NS:
            self.flush()

    def flush(self) -> None:
        if self._end > _HEAD.size:
            self._channel.send(self._page[_HEAD.size : self._end])
            self._end = _HEAD.size
            _NUMBER.pack_into(self._page, 4, 0)
