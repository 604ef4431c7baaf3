"""Does the relay tell peers an address that they can reach, or that of a container or a provider's NAT?"""

from __future__ import annotations

from pathlib import Path

from peerline.doctor.check import Check, Outcome, failed, ok, unknown, warning
from peerline.doctor.patient import Patient
from peerline.doctor.place import Place, place_of

_SIGNS_OF_A_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


class AdvertisedAddress(Check):
    """Compares the relayed addresses with the address under which the server was asked."""

    name = "advertised-address"
    title = "Advertised address"

    async def examine(self, patient: Patient) -> Outcome:
        facts = patient.facts
        told = sorted({address for address, _ in facts.relayed.values()})
        if not told:
            return unknown("the relay gave out no address")
        for address in told:
            self.say(f"relayed address {address}: {place_of(address).value}")
        asked = facts.server
        self.say(f"the server was asked at {asked}: {place_of(asked).value}")
        if patient.is_local and any(sign.exists() for sign in _SIGNS_OF_A_CONTAINER):
            self.say("this is a container")
        return judge(asked, told[0])


def judge(asked: str, told: str) -> Outcome:
    """`asked`: where the server is reached; `told`: what its relay tells peers."""
    here, there = place_of(asked), place_of(told)
    if there is Place.LOOPBACK:
        if here is Place.LOOPBACK:
            return ok("loopback, for trying out on this computer")
        return failed(f"the relay tells peers {told}, which is themselves", f"--external-ip {asked}")
    if there.is_public:
        return ok(f"{told} is public")
    if here.is_public:
        return failed(f"the relay tells peers {told}: {there.value}", f"--external-ip {asked}/{told}")
    if there is Place.CGNAT:
        return warning(f"the relay tells peers {told}: {there.value}", f"--external-ip PUBLIC/{told}")
    if there is Place.CONTAINER:
        public = asked if here is Place.PRIVATE else "ADDRESS_OF_THE_HOST"
        return warning(f"the relay tells peers {told}: {there.value}", f"--external-ip {public}/{told}")
    if there is Place.LINK_LOCAL:
        return warning(f"the relay tells peers {told}: {there.value}", "peerline serve --host ADDRESS")
    return ok(f"{told} is private: good for this network; for others, --external-ip")
