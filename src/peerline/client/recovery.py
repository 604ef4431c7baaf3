"""What to do while the connection is down: when to restart ICE, and when to give up (docs/protocol.md, section 8)."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from peerline.client.carriage import Clock

__all__ = ["LOST_S", "NEVER_S", "PATIENCE_S", "Recovery", "RecoveryActs"]

# A connection that was there and does not come back in this time is lost.
LOST_S = 18.0
# One that never came.
NEVER_S = 30.0
# A short disturbance heals by itself; after this long ICE looks for a new way.
PATIENCE_S = 3.0


class RecoveryActs(Protocol):
    """What it makes happen."""

    def restart(self, why: Literal["lost"]) -> None:
        """Restart ICE."""

    def give_up(self, why: Literal["ice_lost", "ice_failed"]) -> None:
        """End the call."""


class Recovery:
    """Told of everything that happens to the connection; says what is to be done, and when."""

    def __init__(self, acts: RecoveryActs, clock: Clock) -> None:
        self._acts = acts
        self._clock = clock
        self._was_up = False
        self._is_down = False
        self._deadline: Any = None
        self._patience: Any = None

    def described(self) -> None:
        """Both descriptions are set: without any candidate connectionState would stay "new" for ever."""
        if not self._was_up:
            self._within(NEVER_S)

    def turned(self, state: str) -> None:
        """connectionState has changed."""
        if state == "connected":
            self.stop()
            self._was_up = True
        elif state == "connecting":
            if not self._is_down:
                self._within(LOST_S if self._was_up else NEVER_S)
        elif state == "disconnected":
            self._down()
            if self._patience is None:
                self._patience = self._clock.call_later(PATIENCE_S, lambda: self._acts.restart("lost"))
        elif state == "failed":
            self._down()
            self._acts.restart("lost")

    def again(self) -> None:
        """The other side has come back: time begins anew."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            self._within(LOST_S)

    def stop(self) -> None:
        """Nothing is wrong, or nothing matters any more."""
        self._is_down = False
        for timer in (self._deadline, self._patience):
            if timer is not None:
                timer.cancel()
        self._deadline = self._patience = None

    def _down(self) -> None:
        self._is_down = True
        self._within(LOST_S)

    def _within(self, delay_s: float) -> None:
        if self._deadline is None:
            self._deadline = self._clock.call_later(
                delay_s, lambda: self._acts.give_up("ice_lost" if self._was_up else "ice_failed")
            )
