"""Ways for the packets: our own STUN server is asked, and `?ice=relay` allows relays only."""

from __future__ import annotations

import re
import urllib.request

from e2e.conftest import Two
from e2e.invitations import Invite
from e2e.media import sample
from e2e.waiting import until
from system.server_process import ServerProcess

_CONFIGURATION = "window.__peerline.peerConnections[0].getConfiguration()"


def _answered(server: ServerProcess) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        text = answer.read().decode()
    found = re.search(r'^peerline_stun_requests_total\{outcome="answered"\} (\S+)$', text, re.M)
    assert found, text
    return float(found[1])


async def test_the_page_asks_our_own_stun_server_and_nobody_else(call: Two, shared_server: ServerProcess) -> None:
    for one in call:
        configuration = await one.page.evaluate(_CONFIGURATION)
        urls = [url for given in configuration["iceServers"] for url in given["urls"]]
        assert urls
        assert all(re.fullmatch(r"stun:localhost:\d+", url) for url in urls), urls
        assert configuration["iceTransportPolicy"] == "all"

    async def answered() -> float:
        return _answered(shared_server)

    await until("a request to our STUN server", answered, lambda count: count >= 2)


async def test_packets_go_directly_from_browser_to_browser(call: Two) -> None:
    for one in call:
        pair = (await sample(one.page)).pair
        assert len(pair) == 2
        assert set(pair) <= {"host", "srflx", "prflx"}


async def test_ice_relay_allows_no_other_candidate(person: Invite) -> None:
    ann, bob = await person("Ann", query="ice=relay"), await person("Bob")
    await ann.call(bob)
    await bob.answer()
    await ann.page.wait_for_function("window.__peerline.peerConnections[0]?.iceGatheringState === 'complete'")
    configuration = await ann.page.evaluate(_CONFIGURATION)
    assert configuration["iceTransportPolicy"] == "relay"
    described = await ann.page.evaluate("window.__peerline.peerConnections[0].localDescription.sdp")
    assert "a=candidate" not in described, "there is no relay here, and nothing else is allowed"
    await ann.hang_up()
    await bob.reads("Call ended")
