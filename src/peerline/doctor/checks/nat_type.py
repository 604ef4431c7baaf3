"""What does the NAT between us and the server do (RFC 5780), and who can be met without a relay?"""

from __future__ import annotations

import dataclasses

from peerline.doctor.check import Check, Outcome, ok, unknown, warning
from peerline.doctor.patient import Patient
from peerline.doctor.stun.address import Address
from peerline.doctor.stun.behaviour import Behaviour, compare, discover
from peerline.doctor.stun.errors import LinkLostError, SilentError
from peerline.lab.nat_type import Dependence, NatType, is_direct

# Of those that are offered, so many are asked: each that is silent takes its time.
MAX_SERVERS = 3
_TRANSLATING = [one for one in NatType if one not in (NatType.OPEN, NatType.UDP_BLOCKED)]


class NatTypeCheck(Check):
    """Needs a server with two addresses for the whole answer; without one it compares what several servers see."""

    name = "nat"
    title = "NAT"
    timeout_s = 15.0

    async def examine(self, patient: Patient) -> Outcome:
        servers: list[Address] = []
        for server in patient.ice_servers:
            if (
                len(servers) < MAX_SERVERS
                and server.url.transport == "udp"
                and (address := await server.url.resolve()) not in servers
            ):
                servers.append(address)
        if not servers:
            return unknown("there is no STUN server to ask over UDP")
        found = await self._ask(servers)
        if found is None:
            if patient.facts.is_udp_blocked and patient.facts.round_trips_s:  # something else came through
                return warning(
                    "no UDP gets through: calls need a relay over TCP or TLS",
                    "peerline serve --turn-tls-port 443 --turn-cert FILE --turn-key FILE",
                )
            return unknown("no STUN server answers over UDP")
        patient.facts.is_udp_blocked = False
        patient.facts.behaviour = found
        if found.mapping is None or found.filtering is None:
            return await self._by_comparison(patient, found, servers)
        self.say(f"mapping {found.mapping}, filtering {found.filtering}")
        if not found.is_translated:
            if found.filtering is Dependence.ENDPOINT_INDEPENDENT:
                return ok("none: this machine has the address that the server sees")
            return ok(f"none, but a firewall: what comes in is {found.filtering}")
        assert found.type is not None
        return ok(f"{found.type}; {meets(found.type)}")

    async def _ask(self, servers: list[Address]) -> Behaviour | None:
        """What the first server with two addresses finds, else the first that answers; None if none does."""
        first = None
        for server in servers:
            try:
                found = await discover(server, self.say)
            except (SilentError, LinkLostError) as error:
                self.say(error.message)
                continue
            if found.other is not None:
                return found
            first = first or found
        return first

    async def _by_comparison(self, patient: Patient, found: Behaviour, servers: list[Address]) -> Outcome:
        if not found.is_translated:
            return ok("none: this machine has the address that the server sees")
        why = "the server has no second address to ask from (RFC 5780; ours: --turn-alternate)"
        if found.other is not None:
            why = "the server's second address does not answer"
        seen = await compare(servers, self.say) if len(servers) > 1 else []
        if len(set(seen)) > 1:
            # At least that: it takes two ports of one address to tell whether the port matters, too.
            patient.facts.behaviour = dataclasses.replace(found, mapping=Dependence.ADDRESS_DEPENDENT)
            return ok(f"symmetric: another port for each destination; {meets(NatType.SYMMETRIC)}")
        if len(seen) > 1:
            return unknown(
                f"there is one, with the same port for {len(seen)} servers; who may come in is unknown: {why}"
            )
        return unknown(f"there is one; of which type is unknown: {why}")


def meets(nat: NatType) -> str:
    """Whom it can meet without a relay, in words."""
    met = [str(other) for other in _TRANSLATING if is_direct(nat, other)]
    if len(met) == len(_TRANSLATING):
        return "meets everybody without a relay"
    return f"without a relay it meets {', '.join(met)}"
