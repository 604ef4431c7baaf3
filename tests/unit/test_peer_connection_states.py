"""The states of a connection out of those of its transports, as the tables of W3C WebRTC 4.3.2 to 4.3.4 have them."""

from __future__ import annotations

import itertools

import pytest

from peerline.webrtc.peer_connection_states import connection_state, gathering_state, ice_connection_state


@pytest.mark.parametrize(
    ("transports", "state"),
    [
        ([], "new"),
        (["new"], "new"),
        (["new", "gathering"], "gathering"),
        (["gathering", "complete"], "gathering"),
        (["new", "complete"], "new"),
        (["complete", "complete"], "complete"),
    ],
)
def test_gathering(transports: list[str], state: str) -> None:
    assert gathering_state(transports) == state


@pytest.mark.parametrize(
    ("transports", "state"),
    [
        ([], "new"),
        (["new", "closed"], "new"),
        (["new", "checking"], "checking"),
        (["connected", "new"], "checking"),
        (["connected", "completed"], "connected"),
        (["connected", "closed"], "connected"),
        (["completed", "closed"], "completed"),
        (["connected", "disconnected"], "disconnected"),
        (["disconnected", "failed", "connected"], "failed"),
    ],
)
def test_ice(transports: list[str], state: str) -> None:
    assert ice_connection_state(transports) == state


@pytest.mark.parametrize(
    ("ice", "dtls", "state"),
    [
        ("new", [], "new"),
        ("new", ["new", "closed"], "new"),
        ("new", ["connecting"], "connecting"),
        ("checking", ["new"], "connecting"),
        ("connected", ["connecting"], "connecting"),
        ("connected", ["connected", "connecting"], "connecting"),
        ("connected", ["connected", "closed"], "connected"),
        ("completed", ["connected"], "connected"),
        ("disconnected", ["connected"], "disconnected"),
        ("connected", ["connected", "failed"], "failed"),
        ("failed", ["connected"], "failed"),
    ],
)
def test_the_whole(ice: str, dtls: list[str], state: str) -> None:
    assert connection_state(ice, dtls) == state  # type: ignore[arg-type]


def test_no_order_of_transports_makes_a_difference() -> None:
    for states in itertools.product(
        ("new", "checking", "connected", "completed", "disconnected", "failed", "closed"), repeat=3
    ):
        assert len({ice_connection_state(order) for order in itertools.permutations(states)}) == 1
