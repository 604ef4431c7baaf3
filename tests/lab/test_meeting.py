"""Two hosts try to meet directly as ICE does (RFC 8445), behind any two NATs: it works where `is_direct` says so."""

from __future__ import annotations

import itertools

import pytest

from lab.discovery import public_address
from lab.worlds import Address, Endpoint, World
from peerline.lab import NatType, is_direct

PAIRS = list(itertools.combinations_with_replacement(NatType, 2))
_TRIES = 3


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{a} and {b}" for a, b in PAIRS])
def test_two_meet_directly_where_theory_allows_it(world: World, one: NatType, other: NatType) -> None:
    server = world.open(world.net.host("server"), 3478)
    ann = world.open(world.net.behind(one).host("ann"))
    bob = world.open(world.net.behind(other).host("bob"))
    assert _meet(ann, public_address(ann, server), bob, public_address(bob, server)) is is_direct(one, other)


def test_theory_says_what_every_textbook_says() -> None:
    assert is_direct(NatType.PORT_RESTRICTED, NatType.PORT_RESTRICTED)
    assert is_direct(NatType.SYMMETRIC, NatType.ADDRESS_RESTRICTED)
    assert not is_direct(NatType.SYMMETRIC, NatType.PORT_RESTRICTED)
    assert not is_direct(NatType.SYMMETRIC, NatType.SYMMETRIC)
    assert not any(is_direct(NatType.UDP_BLOCKED, one) for one in NatType)
    assert all(is_direct(one, other) is is_direct(other, one) for one, other in PAIRS)


def _meet(ann: Endpoint, ann_told: Address | None, bob: Endpoint, bob_told: Address | None) -> bool:
    """Each sends to the address that the other was told it has, and then to where it was reached from."""
    if ann_told is None or bob_told is None:
        return False
    ann_sends_to, bob_sends_to = bob_told, ann_told
    ann_hears = bob_hears = False
    for _ in range(_TRIES):
        ann.send(b"check", ann_sends_to)
        if received := bob.receive():
            bob_hears, bob_sends_to = True, received[1]
        bob.send(b"check", bob_sends_to)
        if received := ann.receive():
            ann_hears, ann_sends_to = True, received[1]
    return ann_hears and bob_hears
