"""Ends a call that nobody waits for any more, by an exception in the thread that runs it."""

import signal
from typing import Any

# One that libraries leave alone; SIGINT belongs to the script.
_SIGNAL = signal.SIGUSR2


class CallCancelled(KeyboardInterrupt):
    """Raised inside run(). Like Ctrl+C, `except Exception` does not catch it."""


class Interrupts:
    """
    The scorer sends the signal only while this worker has a call, and no further call before the answer to it. So a signal that
    comes when the call has just ended is never meant for the next one.
    """

    def __init__(self) -> None:
        self._running = False
        signal.signal(_SIGNAL, self._handle)

    def usable(self) -> bool:
        """False when the script has taken the signal for itself."""
        return signal.getsignal(_SIGNAL) == self._handle

    def begin(self) -> None:
        self._running = True

    def end(self) -> None:
        self._running = False

    def _handle(self, _signal: int, _frame: Any) -> None:
        if self._running:
            self._running = False  # once a call
            raise CallCancelled("nobody waits for this call's answer any more")
