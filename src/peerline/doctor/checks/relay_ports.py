"""Are the relay's ports open to the world? A plain UDP socket, which knows nothing of TURN, knocks at some."""

from __future__ import annotations

import asyncio
import contextlib
import os

from peerline.config import Config
from peerline.doctor.check import Check, Outcome, failed, ok, unknown
from peerline.doctor.checks.relay import forbidden
from peerline.doctor.patient import IceServer, Patient
from peerline.doctor.stun.errors import RefusedByServerError, SilentError
from peerline.doctor.stun.link import Link, open_udp
from peerline.doctor.stun.turn import Allocation
from peerline.doctor.stun.url import TRANSPORTS

PORTS = 4
TRIES = 3
ARRIVES_WITHIN_S = 0.7


class RelayPorts(Check):
    """The socket is any peer: what it sends has to come in at the relayed port, and to reach us."""

    name = "relay-ports"
    title = "Relay ports"

    async def examine(self, patient: Patient) -> Outcome:
        facts = patient.facts
        server = next((patient.relay(transport) for transport in TRANSPORTS if transport in facts.relayed), None)
        if server is None:
            return unknown("the relay gave out no address")
        gets_udp_out = "STUN udp" in facts.round_trips_s
        if not gets_udp_out and patient.stun("udp") is not None:
            return unknown("from here no UDP gets out, so that nothing can be tried")
        async with contextlib.AsyncExitStack() as stack:
            allocations = [await self._allocate(stack, patient, server) for _ in range(PORTS)]
            peer = await open_udp(local=facts.local[0] if facts.local is not None else None)
            stack.callback(peer.close)
            try:
                reached = await asyncio.gather(*(self._knock(peer, one) for one in allocations))
            except RefusedByServerError as refusal:
                if refusal.number != 403 or allocations[0].mapped is None:
                    raise
                return forbidden(allocations[0].mapped[0])
        ports = [one.relayed[1] for one in allocations]
        closed = [port for port, is_open in zip(ports, reached, strict=True) if not is_open]
        self.say(f"tried UDP ports {', '.join(map(str, ports))}")
        if not closed:
            return ok(f"{PORTS} of {PORTS} that were tried are open")
        self.say(f"nothing came in at {', '.join(map(str, closed))}")
        if not gets_udp_out and len(closed) == PORTS:
            return unknown("nothing came in at any port; but it may be that no UDP gets out from here")
        first, _, last = Config().relay_ports.partition("-")
        return failed(
            f"{len(closed)} of {PORTS} ports that were tried are closed",
            f"ufw allow {first}:{last}/udp  (on the server, and in its provider's firewall; or --relay-ports)",
        )

    async def _allocate(self, stack: contextlib.AsyncExitStack, patient: Patient, server: IceServer) -> Allocation:
        client = await patient.client(server)
        return await stack.enter_async_context(Allocation(client, server.username, server.password))

    async def _knock(self, peer: Link, allocation: Allocation) -> bool:
        """Whether a packet of the peer's comes in there."""
        if allocation.mapped is None:
            return False
        await allocation.permit(allocation.mapped[0])
        word = os.urandom(16)
        for _ in range(TRIES):
            peer.send(word, allocation.relayed)
            try:
                while (await allocation.receive(ARRIVES_WITHIN_S))[1] != word:
                    pass
            except SilentError:
                continue
            return True
        return False
