"""Does a STUN server answer over UDP, TCP or TLS (RFC 8489), and which address does it see us from?"""

from __future__ import annotations

from peerline.doctor.check import Check, Outcome, failed, ok, unknown
from peerline.doctor.patient import Patient
from peerline.doctor.stun.errors import LinkLostError, SilentError
from peerline.doctor.stun.link import outgoing_address
from peerline.doctor.stun.url import Transport

WORDS = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}


class Stun(Check):
    """One Binding."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport
        self.name = f"stun-{transport}"
        self.title = f"STUN over {WORDS[transport]}"

    async def examine(self, patient: Patient) -> Outcome:
        transport, facts = self._transport, patient.facts
        server = patient.stun(transport)
        if server is None:
            return not_offered(patient, transport, "STUN")
        address = await server.url.resolve()
        facts.server = facts.server or address[0]
        self.say(f"asking {server.url}")
        try:
            client = await patient.client(server)
        except LinkLostError as error:
            return failed(error.message, open_port(transport, address[1]))
        try:
            mapped, answer = await client.mapped_address()
        except SilentError as error:
            if transport == "udp" and not client.useless:
                facts.is_udp_blocked = True
            return failed(error.message, open_port(transport, address[1]))
        except LinkLostError as error:
            is_closed = transport == "udp" and error.code == "refused"
            return failed(
                error.message, "peerline serve --stun-port 3478  (no server has the port now)" if is_closed else None
            )
        finally:
            client.close()
        facts.round_trips_s[f"STUN {transport}"] = answer.rtt_s
        self.say(f"seen as {mapped[0]} port {mapped[1]}")
        if transport == "udp" or facts.mapped is None:
            facts.local = (outgoing_address(address), client.link.local[1])
            facts.mapped = mapped
        return ok(f"answers in {answer.rtt_s * 1000:.1f} ms")


def not_offered(patient: Patient, transport: Transport, what: str) -> Outcome:
    """Nothing to look at."""
    if not patient.ice_servers:
        return unknown("the server told us of no STUN or TURN server")
    return unknown(f"the server offers no {what} over {WORDS[transport]}")


def open_port(transport: Transport, port: int) -> str:
    """What to type on the server."""
    return f"ufw allow {port}/{'udp' if transport == 'udp' else 'tcp'}  (on the server, and in its provider's firewall)"
