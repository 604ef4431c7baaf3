"""What a NAT does, found out by asking a server that has two addresses (RFC 5780 §4.3 mapping, §4.4 filtering)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass

from peerline.doctor.stun.address import Address, address_in
from peerline.doctor.stun.client import Answer, StunClient
from peerline.doctor.stun.errors import RefusedByServerError, SilentError
from peerline.doctor.stun.link import open_udp, outgoing_address
from peerline.doctor.stun.message import Attribute
from peerline.lab.nat_type import Dependence, NatType

_CHANGE_PORT, _CHANGE_BOTH = 0x02, 0x06


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What was found; None where it could not be."""

    local: Address
    """Ours."""
    mapped: Address
    """What the server saw of it."""
    other: Address | None
    """The server's second address."""
    mapping: Dependence | None = None
    """On what the public port depends."""
    filtering: Dependence | None = None
    """On what it depends whether a packet may come in."""

    @property
    def is_translated(self) -> bool:
        """Whether there is a NAT at all."""
        return self.local != self.mapped

    @property
    def type(self) -> NatType | None:
        """The name people know it by, None if it has none or too little is known."""
        if not self.is_translated:
            return NatType.OPEN if self.filtering is Dependence.ENDPOINT_INDEPENDENT else None
        if self.mapping not in (None, Dependence.ENDPOINT_INDEPENDENT):
            return NatType.SYMMETRIC
        if None in (self.mapping, self.filtering):
            return None
        return next(
            one for one in NatType
            if one is not NatType.OPEN and (one.mapping, one.filtering) == (self.mapping, self.filtering)
        )  # fmt: skip


async def discover(server: Address, log: Callable[[str], None]) -> Behaviour:
    """Ask this server. Raises SilentError where no UDP passes, LinkLostError, MalformedError, RefusedByServerError."""
    local = outgoing_address(server)
    asker = StunClient(await open_udp(local=local))
    try:
        mapped, answer = await asker.mapped_address(server)
        log(f"{_text(asker.link.local)} is seen as {_text(mapped)} by {_text(server)}")
        other = address_in(answer.message, Attribute.OTHER_ADDRESS)
        if other is None or other[0] == server[0]:
            return Behaviour(asker.link.local, mapped, None)
        mapping = await _mapping(asker, mapped, server, other, log)
        filtering = await _filtering(local, server, log)
        return Behaviour(asker.link.local, mapped, other, mapping, filtering)
    finally:
        asker.close()


async def compare(servers: list[Address], log: Callable[[str], None]) -> list[Address]:
    """How one socket of ours is seen by each of these servers; those that do not answer are left out."""
    asker = StunClient(await open_udp(local=outgoing_address(servers[0])))
    try:
        seen = []
        for server in servers:
            try:
                mapped, _ = await asker.mapped_address(server)
            except SilentError:
                log(f"{_text(server)} does not answer")
                continue
            log(f"seen as {_text(mapped)} by {_text(server)}")
            seen.append(mapped)
        return seen
    finally:
        asker.close()


async def _mapping(
    asker: StunClient, first: Address, server: Address, other: Address, log: Callable[[str], None]
) -> Dependence | None:
    if first == asker.link.local:
        return Dependence.ENDPOINT_INDEPENDENT  # nothing is translated
    seen = [first]
    for target in ((other[0], server[1]), other):
        try:
            mapped, _ = await asker.mapped_address(target)
        except SilentError:
            log(f"{_text(target)}, the server's second address, does not answer")
            return None
        log(f"seen as {_text(mapped)} by {_text(target)}")
        seen.append(mapped)
    if seen[1] == seen[0]:
        return Dependence.ENDPOINT_INDEPENDENT
    return Dependence.ADDRESS_DEPENDENT if seen[2] == seen[1] else Dependence.ADDRESS_AND_PORT_DEPENDENT


async def _filtering(local: str, server: Address, log: Callable[[str], None]) -> Dependence | None:
    """By a socket that has sent to `server` alone."""
    asker = StunClient(await open_udp(local=local))
    try:
        await asker.mapped_address(server)
        both, port = await asyncio.gather(
            _answer_from_elsewhere(asker, server, _CHANGE_BOTH), _answer_from_elsewhere(asker, server, _CHANGE_PORT)
        )
    except RefusedByServerError as refusal:
        log(f"the server does not answer from elsewhere: {refusal.message}")
        return None
    finally:
        asker.close()
    for answer, what in ((both, "its second address"), (port, "its second port")):
        log(f"an answer from {what} {'came in' if answer else 'did not come in'}")
    if any(answer is not None and answer.source == server for answer in (both, port)):
        log("but the server had answered from where it was asked, which proves nothing")
        return None
    if both is not None:
        return Dependence.ENDPOINT_INDEPENDENT
    return Dependence.ADDRESS_DEPENDENT if port is not None else Dependence.ADDRESS_AND_PORT_DEPENDENT


async def _answer_from_elsewhere(asker: StunClient, server: Address, change: int) -> Answer | None:
    try:
        _, answer = await asker.mapped_address(server, [(Attribute.CHANGE_REQUEST, struct.pack("!I", change))])
    except SilentError:
        return None
    return answer


def _text(address: Address) -> str:
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
