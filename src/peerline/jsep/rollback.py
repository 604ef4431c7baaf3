"""Takes the pending offer back, and all that it changed (RFC 9429, section 5.7; W3C WebRTC 4.4.1.5, "rollback")."""

from __future__ import annotations

from peerline.jsep.outcome import Outcome, process_remote_track
from peerline.jsep.record import Record
from peerline.jsep.transport import Layout

__all__ = ["roll_back"]


def roll_back(record: Record) -> Outcome:
    """Back to the state `stable`. What was added meanwhile, and not by the offer, stays."""
    outcome = Outcome()
    stable = record.stable
    assert stable is not None
    is_remote = record.signaling_state == "have-remote-offer"
    for one in list(record.transceivers):
        before = stable.transceivers.get(one)
        if before is not None:
            one.receive_codecs = before.receive_codecs
            if before.ridless_encodings is not None and any("rid" in encoding for encoding in one.encodings):
                one.encodings = before.ridless_encodings
                one.sender_revision += 1
        if is_remote and not one.is_stopped:
            streams = before.remote_stream_ids if before is not None else ()
            process_remote_track(one, one.current_direction or "inactive", streams, outcome)
        if before is None or before.mid is None:
            was_associated = one.mid is not None
            one.mid = one.index = None
            if before is None and is_remote and was_associated and not one.is_of_add_track:
                if one.has_had_add_track:  # it stays, as if addTrack had made it
                    one.is_of_add_track = True
                    continue
                one.stop()
                record.transceivers.remove(one)
                outcome.stopped.append(one)
                outcome.removed.append(one)
    record.pending_local = record.pending_remote = None
    record.signaling_state = "stable"
    record.layout, record.offered = stable.layout, Layout()
    record.data_mid, record.data_index = stable.data_mid, stable.data_index
    record.stable = None
    record.prepared.clear()
    return outcome
