"""Sides of a negotiation whose randomness comes from a seed, and what tests say about them."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import Any

from peerline.jsep import Credentials, Session, Settings, Transceiver
from peerline.sdp import Description, Fingerprint, MediaSection, parse

ALPHABET = string.ascii_letters + string.digits


class Seeded:
    """The randomness of a session."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def credentials(self) -> Credentials:
        return Credentials(self._text(8), self._text(24))

    def token(self) -> str:
        return self._text(32)

    def ssrc(self) -> int:
        return self._random.randrange(1, 2**32)

    def _text(self, length: int) -> str:
        return "".join(self._random.choices(ALPHABET, k=length))


def side(seed: int = 1, **settings: Any) -> Session:
    """One that has nothing to say yet."""
    fingerprint = Fingerprint("sha-256", ":".join([f"{seed % 256:02X}"] * 32))
    return Session(Settings(seed, f"cname{seed}", (fingerprint,), **settings), Seeded(seed))


def add(session: Session, kind: Any, direction: Any = "sendrecv", **slots: Any) -> Transceiver:
    """What addTransceiver does, as far as negotiation is concerned."""
    slots.setdefault("encodings", [{"active": True}])
    transceiver = Transceiver(kind, direction, **slots)
    session.transceivers.append(transceiver)
    return transceiver


def add_track(session: Session, kind: Any, *streams: str) -> Transceiver:
    """What addTrack does."""
    return add(session, kind, is_of_add_track=True, has_track=True, stream_ids=streams)


def negotiate(offerer: Session, answerer: Session) -> tuple[Description, Description]:
    """A whole round."""
    offer = offerer.create_offer()
    offerer.set_local("offer", offer)
    answerer.set_remote("offer", offer)
    answer = answerer.create_answer()
    answerer.set_local("answer", answer)
    offerer.set_remote("answer", answer)
    return parse(offer), parse(answer)


def offer_of(session: Session, **options: Any) -> Description:
    """What it would offer."""
    return parse(session.create_offer(**options))


def names(media: MediaSection) -> list[str]:
    """Its codecs."""
    return [codec.name for codec in media.codecs]


def stable_facts(session: Session) -> dict[str, Any]:
    """What no failed step may change."""
    return {
        "state": session.signaling_state,
        "layout": session.layout,
        "mids": [(one.mid, one.index, one.current_direction, one.direction) for one in session.transceivers],
        "descriptions": [str(one.description) for one in session.applied],
        "data": session.data_mid,
    }


def without(text: str, *starts: str) -> str:
    """A description without some lines."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not any(line.startswith(start) for start in starts))


def mids(description: Description) -> Sequence[str | None]:
    """In order."""
    return [media.mid for media in description.media]
