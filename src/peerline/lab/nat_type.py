"""The kinds of NAT, by what RFC 4787 calls mapping (§4.1) and filtering (§5), and who can meet directly."""

from __future__ import annotations

import difflib
from enum import Enum, StrEnum

from peerline.lab.errors import LabError


class Dependence(StrEnum):
    """On how much of the other side's address a NAT's decision depends."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"


_EI, _AD, _APD = Dependence


class NatType(Enum):
    """What stands between a host and the internet."""

    OPEN = ("open", _EI, _EI)
    """Nothing: the host has a public address."""
    FULL_CONE = ("full-cone", _EI, _EI)
    """One public port for each socket, and whoever finds it may send to it."""
    ADDRESS_RESTRICTED = ("address-restricted", _EI, _AD)
    """One public port for each socket; in comes who has been sent to, from any of its ports."""
    PORT_RESTRICTED = ("port-restricted", _EI, _APD)
    """One public port for each socket; in comes the very address and port that was sent to."""
    SYMMETRIC = ("symmetric", _APD, _APD)
    """A new public port for each destination, and only that destination may answer."""
    UDP_BLOCKED = ("udp-blocked", None, None)
    """A firewall of the strict sort: of UDP only DNS passes, and TCP port 3478 is closed too."""

    def __init__(self, word: str, mapping: Dependence | None, filtering: Dependence | None) -> None:
        self.word = word
        """What people write: "full-cone"."""
        self.mapping = mapping
        """What the public port depends on; None where no UDP passes."""
        self.filtering = filtering
        """Who may send to it."""

    def __str__(self) -> str:
        return self.word

    @classmethod
    def named(cls, word: str | NatType) -> NatType:
        """The type of this name. Raises LabError if there is none."""
        for one in cls:
            if word in (one, one.word):
                return one
        words = [one.word for one in cls]
        near = difflib.get_close_matches(str(word), words, n=1)
        raise LabError(
            f"there is no NAT type {str(word)!r}",
            code="lab_nat_type",
            hint=f"Did you mean {near[0]!r}?" if near else f"The types: {', '.join(words)}.",
        )


def is_direct(one: NatType, other: NatType) -> bool:
    """Whether two hosts behind these can send each other UDP with no relay between, by ICE (RFC 8445).

    Each learns its public port from a STUN server, tells the other, and sends: that opens its own NAT for what comes
    from the other's port. It fails where a NAT makes another port for this destination than for the STUN server,
    and the other's NAT lets in nothing but the port that it was told.
    """
    if None in (one.mapping, other.mapping):
        return False
    return not (_hides_its_port(one) and _asks_for_the_port(other)) and not (
        _hides_its_port(other) and _asks_for_the_port(one)
    )


def _hides_its_port(nat: NatType) -> bool:
    return nat.mapping is not Dependence.ENDPOINT_INDEPENDENT


def _asks_for_the_port(nat: NatType) -> bool:
    return nat.filtering is Dependence.ADDRESS_AND_PORT_DEPENDENT
