"""One check: idle → running → ok, warning, failed, or unknown; with what it saw and the line that fixes it."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from peerline.errors import PeerlineError

if TYPE_CHECKING:
    from peerline.doctor.patient import Patient


class State(StrEnum):
    """Where a check stands. `unknown` is no warning: it could not be found out, and the summary says why."""

    IDLE = "idle"
    RUNNING = "running"
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended. `fix` is a line to type or to write into a file; or, where there is none, what to do."""

    state: State
    summary: str
    fix: str | None = None


def ok(summary: str) -> Outcome:
    """It works."""
    return Outcome(State.OK, summary)


def warning(summary: str, fix: str | None = None) -> Outcome:
    """It works for some, or not for long."""
    return Outcome(State.WARNING, summary, fix)


def failed(summary: str, fix: str | None = None) -> Outcome:
    """It does not work."""
    return Outcome(State.FAILED, summary, fix)


def unknown(summary: str) -> Outcome:
    """It could not be found out, or there is nothing to look at."""
    return Outcome(State.UNKNOWN, summary)


class Check(ABC):
    """What every check has. A check runs once, and never longer than `timeout_s`."""

    name: str
    """For programs: "relay-udp"."""
    title: str
    """For people: "Relay over UDP"."""
    timeout_s: float = 10.0

    def __init__(self) -> None:
        self.state = State.IDLE
        self.outcome: Outcome | None = None
        self.log: list[str] = []
        """What was seen, in order."""
        self.took_s = 0.0

    @abstractmethod
    async def examine(self, patient: Patient) -> Outcome:
        """Look, `say` what was seen, tell the patient what others may need, and judge.

        May raise PeerlineError: its message and hint then are summary and fix of a failure.
        """

    def say(self, line: str) -> None:
        """One more line of the log."""
        self.log.append(line)

    async def run(self, patient: Patient, on_change: Callable[[Check], None]) -> None:
        """From idle to the end; never raises what the check raised."""
        assert self.state is State.IDLE, f"{self.name} runs once"
        self.state = State.RUNNING
        on_change(self)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout_s):
                outcome = await self.examine(patient)
        except TimeoutError:
            outcome = failed(f"no result within {self.timeout_s:g} s")
        except PeerlineError as error:
            outcome = failed(error.message, error.hint)
        except OSError as error:
            outcome = failed((error.strerror or str(error) or type(error).__name__).lower())
        except Exception as error:  # one check that breaks must not take the others with it
            outcome = failed(f"the check itself broke ({type(error).__name__}): this is a bug of the doctor's")
            self.say(str(error))
        self.took_s = time.monotonic() - began
        self.outcome = outcome
        self.state = outcome.state
        on_change(self)
