"""Which media section uses which transport, and how each transport is reached (RFC 9143, 7; RFC 9429, 4.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from peerline.sdp import Fingerprint

__all__ = ["Credentials", "DtlsRole", "Layout", "Randomness", "TransportPlan"]

DtlsRole = Literal["active", "passive"]


class Randomness(Protocol):
    """Where unpredictable values come from: negotiation itself has none."""

    def credentials(self) -> Credentials:
        """A user fragment and a password of ICE (RFC 8839, section 5.4)."""

    def token(self) -> str:
        """At least 120 bits, in letters and digits: a tls-id (RFC 8842, section 5.1)."""

    def ssrc(self) -> int:
        """32 bits, not 0 (RFC 3550, section 8)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What ICE checks are signed with; a new pair is a new generation."""

    ufrag: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.ufrag!r})"  # the password is a secret


@dataclass(slots=True, frozen=True)
class TransportPlan:
    """One transport, as far as descriptions have said. `mid` and `index` are of the section that stands for it."""

    key: int
    mid: str
    index: int
    local: Credentials
    tls_id: str
    is_controlling: bool
    remote: Credentials | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    role: DtlsRole | None = None  # our own; None before it is agreed

    def is_of(self, fingerprints: tuple[Fingerprint, ...]) -> bool:
        """Whether a description with these fingerprints is of the peer that DTLS was agreed on with."""
        known = {(one.algorithm.lower(), one.digest) for one in self.fingerprints}
        theirs = {(one.algorithm.lower(), one.digest) for one in fingerprints}
        return not known or not theirs or bool(known & theirs)


@dataclass(frozen=True, slots=True)
class Layout:
    """All transports, and for each media section the key of its own; None for a section that is rejected."""

    transports: Mapping[int, TransportPlan] = field(default_factory=dict)
    carriers: tuple[int | None, ...] = ()

    def of(self, index: int | None) -> TransportPlan | None:
        """The transport of a section."""
        if index is None or index >= len(self.carriers):
            return None
        key = self.carriers[index]
        return None if key is None else self.transports[key]

    def sections_of(self, key: int) -> list[int]:
        """The sections that use a transport."""
        return [index for index, carrier in enumerate(self.carriers) if carrier == key]

    def pruned(self) -> Layout:
        """Without transports that no section uses. A transport that lost its own section moves to the first left."""
        used = set(self.carriers)
        return replace(self, transports={key: plan for key, plan in self.transports.items() if key in used})
