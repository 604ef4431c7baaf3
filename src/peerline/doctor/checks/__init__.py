"""The checks, one a file, in the order in which they are told."""

from __future__ import annotations

from peerline.doctor.check import Check
from peerline.doctor.checks.advertised_address import AdvertisedAddress
from peerline.doctor.checks.certificate import Certificate
from peerline.doctor.checks.clock import Clock
from peerline.doctor.checks.http_signaling import HttpSignaling
from peerline.doctor.checks.limits import Limits
from peerline.doctor.checks.nat_type import NatTypeCheck
from peerline.doctor.checks.relay import Relay
from peerline.doctor.checks.relay_ports import RelayPorts
from peerline.doctor.checks.stun import Stun
from peerline.doctor.checks.websocket_signaling import WebSocketSignaling
from peerline.doctor.stun.url import TRANSPORTS

Stage = list[Check]


def stages(*, with_signaling: bool) -> list[Stage]:
    """All checks, each new. Those of one stage run at the same time, those of the next need what they found out."""
    signaling: list[Check] = [WebSocketSignaling(), HttpSignaling()] if with_signaling else []
    clock: list[Check] = [Clock()] if with_signaling else []
    return [
        signaling,
        [Certificate(), *clock, *(Stun(transport) for transport in TRANSPORTS)],
        [NatTypeCheck(), *(Relay(transport) for transport in TRANSPORTS)],
        [AdvertisedAddress(), RelayPorts(), Limits()],
    ]
