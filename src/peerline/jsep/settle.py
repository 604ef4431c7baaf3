"""Makes descriptions pending and current, and back (W3C WebRTC 4.4.1.5, from "if remote is false" on)."""

from __future__ import annotations

from peerline.jsep.applied import Applied
from peerline.jsep.outcome import DataPlan, Outcome
from peerline.jsep.record import Record, Remembered, Stable
from peerline.jsep.state import Side, SignalingState
from peerline.jsep.transceiver import Transceiver
from peerline.jsep.transport import Layout

__all__ = ["data_plan", "remember_stable", "remove_stopped", "settle"]


def remember_stable(record: Record) -> None:
    """Before the first offer of a negotiation is applied."""
    if record.signaling_state != "stable":
        return
    kept = {
        one: Remembered(
            one.mid,
            one.index,
            one.receive_codecs,
            one.remote_stream_ids,
            list(one.encodings) if len(one.encodings) == 1 and "rid" not in one.encodings[0] else None,
        )
        for one in record.transceivers
    }
    record.stable = Stable(record.layout, record.data_mid, record.data_index, kept)


def settle(record: Record, side: Side, applied: Applied, state: SignalingState, layout: Layout) -> None:
    """Store the description, and the transports it means."""
    if applied.type == "answer":
        if side == "local":
            record.current_local, record.current_remote = applied, record.pending_remote
        else:
            record.current_remote, record.current_local = applied, record.pending_local
        record.pending_local = record.pending_remote = None
        record.last_offer = record.last_answer = None
        record.stable = None
        ours = {plan.local for plan in layout.transports.values()}
        if not record.to_replace & ours:
            record.to_replace = frozenset()
    elif side == "local":
        record.pending_local = applied
    else:
        record.pending_remote = applied
    if applied.type == "offer":
        record.offered = layout
    record.signaling_state = state
    record.layout = layout
    record.next_key = max([record.next_key, *(key + 1 for key in layout.transports)])
    if side == "local":
        record.version += 1
        record.prepared.clear()


def remove_stopped(record: Record, outcome: Outcome) -> None:
    """After an answer: stopped transceivers whose sections both sides know to be rejected go, and those that were
    stopped before they ever had one."""
    for one in list(record.transceivers):
        if one.is_stopping and one.mid is None:
            one.stop()
            record.transceivers.remove(one)
            outcome.removed.append(one)
        elif one.is_stopped and _is_rejected(record, one):
            record.transceivers.remove(one)
            one.mid = one.index = None
            outcome.removed.append(one)


def data_plan(record: Record) -> DataPlan | None:
    """What is agreed of data channels; None while, or since, nothing is."""
    local, remote = record.local, record.remote
    plan = record.layout.of(record.data_index)
    if local is None or remote is None or plan is None or plan.role is None:
        return None
    ours, theirs = local.section(record.data_index), remote.section(record.data_index)
    if ours is None or theirs is None or ours.sctp_port is None or theirs.sctp_port is None:
        return None
    return DataPlan(plan.key, ours.sctp_port, theirs.sctp_port, theirs.max_message_size)


def _is_rejected(record: Record, transceiver: Transceiver) -> bool:
    if transceiver.mid is None:
        return False
    sections = [one.section(transceiver.index) for one in (record.current_local, record.current_remote) if one]
    return any(section is not None and section.is_rejected for section in sections)
