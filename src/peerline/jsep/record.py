"""All that one side of a negotiation remembers (RFC 9429, section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from peerline.jsep.applied import Applied
from peerline.jsep.settings import Settings
from peerline.jsep.state import SignalingState
from peerline.jsep.transceiver import Encoding, Transceiver
from peerline.jsep.transport import Credentials, Layout, Randomness
from peerline.sdp import Candidate, Codec, Description

__all__ = ["Applied", "Created", "Gathered", "Record", "Remembered", "Stable"]


@dataclass(frozen=True, eq=False)
class Created:
    """A description of ours that waits to be set, and what setting it will mean."""

    type: Literal["offer", "answer"]
    description: Description
    text: str
    data_mid: str | None
    layout: Layout
    members: tuple[Transceiver | None, ...]  # by section


@dataclass(eq=False)
class Gathered:
    """The candidates of one generation of ours, as in a=candidate."""

    lines: list[Candidate] = field(default_factory=list)
    is_complete: bool = False


@dataclass(frozen=True)
class Remembered:
    """Of one transceiver: what a rollback brings back."""

    mid: str | None
    index: int | None
    receive_codecs: tuple[Codec, ...]
    remote_stream_ids: tuple[str, ...]
    ridless_encodings: list[Encoding] | None


@dataclass(frozen=True)
class Stable:
    """How everything was in the state `stable`, before the offer that is pending."""

    layout: Layout
    data_mid: str | None
    data_index: int | None
    transceivers: dict[Transceiver, Remembered]


@dataclass(eq=False)
class Record:
    """The state of a session."""

    settings: Settings
    randomness: Randomness
    signaling_state: SignalingState = "stable"
    transceivers: list[Transceiver] = field(default_factory=list)
    wants_data: bool = False  # a data channel was created
    data_mid: str | None = None
    data_index: int | None = None
    current_local: Applied | None = None
    pending_local: Applied | None = None
    current_remote: Applied | None = None
    pending_remote: Applied | None = None
    layout: Layout = field(default_factory=Layout)
    offered: Layout = field(default_factory=Layout)  # what the pending offer said, before any answer
    gathered: dict[str, Gathered] = field(default_factory=dict)  # by user fragment
    stable: Stable | None = None
    last_offer: Created | None = None
    last_answer: Created | None = None
    to_replace: frozenset[Credentials] = frozenset()
    version: int = 1
    next_mid: int = 0
    next_key: int = 0
    # Made for the next offer and kept until one is set: offers of the same state are the same text.
    prepared: dict[object, object] = field(default_factory=dict)

    @property
    def local(self) -> Applied | None:
        """The pending local description, else the current one."""
        return self.pending_local or self.current_local

    @property
    def remote(self) -> Applied | None:
        """The pending remote description, else the current one."""
        return self.pending_remote or self.current_remote

    @property
    def applied(self) -> Iterator[Applied]:
        """All descriptions that are set."""
        return (
            one
            for one in (self.pending_local, self.current_local, self.pending_remote, self.current_remote)
            if one is not None
        )

    def at(self, index: int) -> Transceiver | None:
        """The transceiver of a media section."""
        return next((one for one in self.transceivers if one.mid is not None and one.index == index), None)

    def mids(self) -> set[str]:
        """All that are in use."""
        found = {media.mid for one in self.applied for media in one.sections if media.mid is not None}
        found |= {one.mid for one in self.transceivers if one.mid is not None}
        return found

    def saw_mid(self, mid: str | None) -> None:
        """Later ones of ours are to be others, even when this one is gone."""
        if mid is not None and mid.isascii() and mid.isdigit() and len(mid) < 10:
            self.next_mid = max(self.next_mid, int(mid) + 1)
