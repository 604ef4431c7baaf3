"""The life of a call as one table (docs/protocol.md, section 7). Pure: a state and an input give the next state.

            REACHED          ACCEPT, MEET
      NEW ───────────► RINGING ───────────► UP
       │                  │                  │
       │ REFUSE           │ DECLINE CANCEL   │ HANGUP LOSE
       │                  │ LEAVE TIMEOUT    │
       ▼                  ▼ MERGE            ▼
     ENDED ◄──────────────┴──────────────────┘

An input that has no entry is illegal in that state and changes nothing.
"""

from __future__ import annotations

from enum import Enum


class CallState(Enum):
    """Where a call is."""

    NEW = "new"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


class CallInput(Enum):
    """What can happen to a call."""

    REACHED = "reached"  # the callee has a device that can ring
    REFUSE = "refuse"  # offline, busy, do not disturb
    ACCEPT = "accept"  # a device of the callee takes it
    MEET = "meet"  # the two call each other, and this call stays
    MERGE = "merge"  # the two call each other, and this call goes
    DECLINE = "decline"
    CANCEL = "cancel"  # by the caller, or the caller is gone
    LEAVE = "leave"  # the callee's last device is gone
    TIMEOUT = "timeout"
    HANGUP = "hangup"
    LOSE = "lose"  # a side is gone for good


TABLE: dict[tuple[CallState, CallInput], CallState] = {
    (CallState.NEW, CallInput.REACHED): CallState.RINGING,
    (CallState.NEW, CallInput.REFUSE): CallState.ENDED,
    (CallState.RINGING, CallInput.ACCEPT): CallState.UP,
    (CallState.RINGING, CallInput.MEET): CallState.UP,
    (CallState.RINGING, CallInput.MERGE): CallState.ENDED,
    (CallState.RINGING, CallInput.DECLINE): CallState.ENDED,
    (CallState.RINGING, CallInput.CANCEL): CallState.ENDED,
    (CallState.RINGING, CallInput.LEAVE): CallState.ENDED,
    (CallState.RINGING, CallInput.TIMEOUT): CallState.ENDED,
    (CallState.UP, CallInput.HANGUP): CallState.ENDED,
    (CallState.UP, CallInput.LOSE): CallState.ENDED,
}


def step(state: CallState, event: CallInput) -> CallState | None:
    """The next state, or None if `event` is illegal in `state`."""
    return TABLE.get((state, event))
