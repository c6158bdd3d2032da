"""Ends a call that nobody waits for any more, by an exception in the thread that runs it."""

import signal
from typing import Any, Optional

from mooring_worker.channel import Channel

# One that libraries leave alone; SIGINT belongs to the script.
_SIGNAL = signal.SIGUSR2


class CallCancelled(KeyboardInterrupt):
    """Raised inside run(). Like Ctrl+C, `except Exception` does not catch it."""


class Interrupts:
    """
    The scorer names the call in a frame and then sends the signal, which says that there is something to read. So a signal that
    comes when its call has just ended is never taken for the next one's.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._running: Optional[int] = None
        self._unseen = False
        self._looking = False
        signal.signal(_SIGNAL, self._handle)

    def usable(self) -> bool:
        """False when the script has taken the signal for itself."""
        return signal.getsignal(_SIGNAL) == self._handle

    def begin(self, call: int) -> None:
        self._running = call
        if self._unseen:
            self._handle()

    def end(self) -> None:
        self._running = None

    def _handle(self, *_: Any) -> None:
        self._unseen = True
        if self._running is None or self._looking:
            return
        self._looking = True
        try:
            while self._unseen:
                self._unseen = False
                self._channel.look()
        finally:
            self._looking = False
        if self._running in self._channel.cancelled:
            self._running = None  # once a call
            raise CallCancelled("nobody waits for this call's answer any more")
