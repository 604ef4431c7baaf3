"""Does the relay work: two allocations, and packets from one through the server to the other and back (RFC 8656)."""

from __future__ import annotations

import os
import statistics
import time

from peerline.doctor.check import Check, Outcome, failed, ok, unknown, warning
from peerline.doctor.checks.stun import WORDS, not_offered, open_port
from peerline.doctor.patient import IceServer, Patient
from peerline.doctor.place import network_of
from peerline.doctor.stun.address import Address
from peerline.doctor.stun.errors import LinkLostError, RefusedByServerError, SilentError
from peerline.doctor.stun.turn import FIRST_CHANNEL, Allocation
from peerline.doctor.stun.url import Transport

PACKETS = 5
PACKET_BYTES = 160  # 20 ms of a telephone
PACKET_WITHIN_S = 1.0

_REFUSALS = {
    401: "the user name or the password is wrong",
    403: "this server's policy forbids it",
    437: "the server has mixed us up with somebody before us",
    441: "these credentials are not those that the allocation was made with",
    442: "the server does not relay UDP",
    486: "this user has as many allocations as it may have",
    508: "the server has no relay port left",
}
_FIXES = {
    401: "look at the secret that both sides share, and at both clocks: date -u",
    486: "wait ten minutes: unused allocations end by themselves",
    508: "peerline serve --relay-ports 49152-65535",
}


class Relay(Check):
    """Both ends of a conversation at once, which is what a browser does with `iceTransportPolicy: "relay"`."""

    timeout_s = 15.0

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport
        self.name = f"relay-{transport}"
        self.title = f"Relay over {WORDS[transport]}"

    async def examine(self, patient: Patient) -> Outcome:
        transport = self._transport
        server = patient.relay(transport)
        if server is None:
            return self._without(patient)
        self.say(f"asking {server.url}")
        try:
            async with Allocation(await patient.client(server), server.username, server.password) as one:
                self.say(f"relayed address {one.relayed[0]} port {one.relayed[1]}, for {one.lifetime_s} s")
                patient.facts.relayed[transport] = one.relayed
                patient.facts.server = patient.facts.server or (await server.url.resolve())[0]
                async with Allocation(await patient.client(server), server.username, server.password) as other:
                    return await self._exchange(patient, server, one, other)
        except RefusedByServerError as refusal:
            words = _REFUSALS.get(refusal.number, "the server refuses")
            return failed(f"{words} ({refusal.message})", _FIXES.get(refusal.number))
        except SilentError as error:
            return failed(error.message, open_port(transport, server.url.port))
        except LinkLostError as error:
            return failed(error.message, open_port(transport, server.url.port) if error.code != "dns" else None)

    async def _exchange(self, patient: Patient, server: IceServer, one: Allocation, other: Allocation) -> Outcome:
        try:
            await one.permit(other.relayed[0])
            await other.permit(one.relayed[0])
        except RefusedByServerError as refusal:
            if refusal.number != 403:
                raise
            return forbidden(other.relayed[0])
        try:
            await self._echo(one, other)
        except SilentError:
            return warning(
                "an address is given out, but packets from one relayed address to another are lost",
                _hairpin(one.relayed, server),
            )
        rtt_s, lost = await self._measure(one, other)
        patient.facts.round_trips_s[f"relay {self._transport}"] = rtt_s
        self.say(f"{PACKETS} packets of {PACKET_BYTES} bytes there and back on a channel, {lost} lost")
        words = f"a packet goes there and back in {rtt_s * 1000:.1f} ms"
        if lost:
            return warning(f"{words}, but {lost} of {PACKETS} were lost", None)
        return ok(words)

    async def _echo(self, one: Allocation, other: Allocation) -> None:
        """With Send and Data indications, which need nothing but a permission. UDP may lose one: three tries."""
        for attempt in range(3):
            data = os.urandom(PACKET_BYTES)
            one.send(other.relayed, data)
            try:
                source, received = await other.receive(PACKET_WITHIN_S)
                other.send(source, received)
                if (await one.receive(PACKET_WITHIN_S))[1] == data:
                    self.say("a packet came through, and back")
                    return
            except SilentError:
                self.say("a packet was lost")
                if attempt == 2:
                    raise
        raise SilentError("what came through the relay is not what was sent")

    async def _measure(self, one: Allocation, other: Allocation) -> tuple[float, int]:
        """Median round trip over two channels, and how many packets got lost."""
        there, back = await one.bind_channel(other.relayed), await other.bind_channel(one.relayed)
        assert there == back == FIRST_CHANNEL
        taken_s, lost = [], 0
        for _ in range(PACKETS):
            sent_s = time.monotonic()
            data = os.urandom(PACKET_BYTES)
            one.send_on(there, data)
            try:
                other.send_on(back, (await other.receive(PACKET_WITHIN_S))[1])
                if (await one.receive(PACKET_WITHIN_S))[1] == data:
                    taken_s.append(time.monotonic() - sent_s)
                    continue
            except SilentError:
                pass
            lost += 1
        if not taken_s:
            raise SilentError("packets on channels are lost, all of them")
        return statistics.median(taken_s), lost

    def _without(self, patient: Patient) -> Outcome:
        if any(one.url.is_turn for one in patient.ice_servers) or self._transport != "udp" or patient.server is None:
            return not_offered(patient, self._transport, "relay")
        if not patient.ice_servers:
            if patient.clock_ahead_s is None:
                return unknown("the server told us of no STUN or TURN server, since nobody could sign in")
            return warning(
                "the server offers neither STUN nor a relay: calls work inside one network alone",
                "peerline serve  (without --no-turn; are its STUN and TURN ports taken?)",
            )
        if patient.is_local:
            return warning(
                "the server offers no relay: on localhost alone it would reach nobody",
                "peerline serve --allow-peer 127.0.0.0/8",
            )
        return warning(
            "the server offers no relay: whoever cannot be reached directly cannot be called",
            "peerline serve  (without --no-turn; is its TURN port taken?)",
        )


def forbidden(peer: str) -> Outcome:
    """The relay works, but may not send to where we are."""
    return warning(
        f"the relay gives out addresses, but its policy forbids {peer} as a peer", f"--allow-peer {network_of(peer)}"
    )


def _hairpin(relayed: Address, server: IceServer) -> str:
    """The relay's own public address has to lead back to it: in a router, or in the server itself."""
    return f"--external-ip {relayed[0]}/ADDRESS_OF_THE_SERVER, and let its router lead {relayed[0]} back (hairpin)"
