"""A thread that takes one step after the other, each when it is due, while somebody wants it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

from peerline.media.sources.clock import now_s

__all__ = ["Pump", "Step", "Steps"]

_log = logging.getLogger("peerline.media")


class Step(NamedTuple):
    """What to do, and when: `due_s` on the clock of `now_s`."""

    due_s: float
    do: Callable[[], None]


Steps: TypeAlias = Generator[Step, None, None]


class Pump:
    """No thread is there while `is_wanted()` is false; the steps go on where they were when it is true again.

    After the last step they are closed, and `close` is called, once; then `finished`, with the error if that is how the
    steps ended, unless it was stopped. All of it may happen on the thread.
    """

    def __init__(
        self,
        name: str,
        steps: Steps,
        *,
        is_wanted: Callable[[], bool],
        close: Callable[[], None],
        finished: Callable[[Exception | None], None],
    ) -> None:
        self._name = name
        self._steps = steps
        self._is_wanted = is_wanted
        self._close = close
        self._finished = finished
        self._lock = threading.Lock()
        self._is_over = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Event()

    def changed(self) -> None:
        """Somebody may want it now, or nobody any more."""
        with self._lock:
            if self._thread is None and not self._is_over and self._is_wanted():
                self._thread = threading.Thread(target=self._run, name=f"peerline-{self._name}", daemon=True)
                self._thread.start()
        self._changed.set()

    def stop(self) -> None:
        """Take no more steps: none begins after this. Twice is fine."""
        with self._lock:
            must_close = self._thread is None and not self._is_over
            self._is_over = True
        self._changed.set()
        if must_close:
            self._close_all()

    # On the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while self._goes_on():
                step = next(self._steps, None)
                if step is None:
                    break
                if self._is_reached(step.due_s):
                    self._take(step)
            else:
                return
        except Exception as caught:
            error = caught
        with self._lock:
            was_stopped, self._is_over, self._thread = self._is_over, True, None
        self._close_all()
        if not was_stopped:
            self._finished(error)

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._is_over and self._is_wanted():
                return True
            self._thread = None
            must_close = self._is_over
        if must_close:
            self._close_all()
        return False

    def _close_all(self) -> None:
        try:
            self._steps.close()
            self._close()
        except Exception:
            _log.exception("a source could not be closed")

    def _is_reached(self, due_s: float) -> bool:
        """Wait until then; False if meanwhile nobody wants it any more."""
        while (left_s := due_s - now_s()) > 0:
            self._changed.wait(left_s)
            self._changed.clear()
            if self._is_over or not self._is_wanted():
                return False
        return not self._is_over

    @staticmethod
    def _take(step: Step) -> None:
        try:
            step.do()
        except Exception:
            # One who takes frames has failed: no reason to keep them from the others.
            _log.exception("a frame could not be handed over")
