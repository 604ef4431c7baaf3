"""What real peers wrote: offers are applied and answered, whole conversations are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsep.sides import add, add_track, side
from peerline.jsep import is_media
from peerline.sdp import Description, parse
from sdp.captures import CAPTURES, capture

OFFERS = [path for path in CAPTURES if path.stem.endswith("offer")]


@pytest.mark.parametrize("path", OFFERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_offer_of_a_real_peer_is_answered(path: Path) -> None:
    text = path.read_bytes().decode()
    offer = parse(text)
    callee = side()
    callee.set_remote("offer", text)
    answer = parse(callee.create_answer())
    callee.set_local("answer")
    assert callee.signaling_state == "stable"
    assert len(answer.media) == len(offer.media)
    for theirs, ours in zip(offer.media, answer.media, strict=True):
        assert (ours.kind, ours.mid, ours.protocol) == (theirs.kind, theirs.mid, theirs.protocol)
        assert ours.is_rejected == theirs.is_rejected
        if ours.is_rtp and not ours.is_rejected:
            offered = {codec.payload_type: codec for codec in theirs.codecs}
            assert any(is_media(codec) for codec in ours.codecs)
            for codec in ours.codecs:
                assert offered[codec.payload_type].key == codec.key
            ids = {one.uri: one.id for one in theirs.header_extensions}
            assert all(ids[one.uri] == one.id for one in ours.header_extensions)
    assert set(answer.bundle) <= set(offer.bundle)
    carriers = {key for key in callee.layout.carriers if key is not None}
    assert len(carriers) == 1
    (plan,) = callee.layout.transports.values()
    assert plan.role == "active"
    assert plan.remote is not None
    tag = offer.section(plan.mid)
    assert tag is not None
    assert (plan.remote.ufrag, plan.remote.password) == offer.ice_of(tag)
    assert plan.fingerprints == offer.fingerprints_of(tag)


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
@pytest.mark.parametrize("name", ["audio-video-data", "data", "many-sections", "simulcast", "stopped-by-answerer"])
def test_the_answer_of_a_browser_to_an_offer_like_its_own_is_taken(browser: str, name: str) -> None:
    answer = capture(f"{browser}/{name}-answer")
    caller = side()
    for media in answer.media:
        if media.kind == "application":
            caller.wants_data = True
        else:
            encodings = [{"rid": rid} for rid in "qhf"] if name == "simulcast" else [{"active": True}]
            add(caller, media.kind, encodings=encodings)
    caller.set_local("offer")
    ours = caller.pending_local
    assert ours is not None
    caller.set_remote("answer", _fitted(answer, ours.description))
    assert caller.signaling_state == "stable"
    assert len(caller.layout.transports) == 1
    for one in caller.transceivers:
        assert one.current_direction is not None
        assert any(is_media(codec) for codec in one.send_codecs)


def _fitted(answer: Description, offer: Description) -> str:
    """It answered its own offer: numbers of header extensions and the directions it was offered are put right."""
    sections = []
    for theirs, ours in zip(answer.media, offer.media, strict=True):
        ids = {one.uri: one.id for one in ours.header_extensions}
        lines = []
        for line in theirs.lines:
            if line.name == "extmap":
                uri = line.parsed.uri
                lines.append(f"a=extmap:{ids[uri]} {uri}\r\n" if uri in ids else "")
            elif line.name == "mid":
                lines.append(f"a=mid:{ours.mid}\r\n")
            else:
                lines.append(f"{line}{line.end}")
        sections.append("".join(lines))
    session = "".join(
        f"a=group:BUNDLE {' '.join(offer.bundle)}\r\n" if line.name == "group" else f"{line}{line.end}"
        for line in answer.session.lines
    )
    return session + "".join(sections)


def test_a_restart_of_a_browser_is_answered_with_a_restart() -> None:
    callee = side()
    callee.set_remote("offer", str(capture("chromium/audio-video-data-offer")))
    callee.set_local("answer")
    before = callee.layout.of(0)
    callee.set_remote("offer", str(capture("chromium/ice-restart-offer")))
    callee.set_local("answer")
    after = callee.layout.of(0)
    assert before is not None
    assert after is not None
    assert after.key == before.key
    assert after.local != before.local


def test_a_browser_stops_a_section_and_uses_it_again() -> None:
    callee = side()
    callee.set_remote("offer", str(capture("chromium/audio-video-data-offer")))
    callee.set_local("answer")
    callee.set_remote("offer", str(capture("chromium/rejected-by-offerer-offer")))
    callee.set_local("answer")
    assert [one.kind for one in callee.transceivers] == ["audio"]
    callee.set_remote("offer", str(capture("chromium/section-reused-offer")))
    callee.set_local("answer")
    assert [(one.kind, one.index) for one in callee.transceivers] == [("audio", 0), ("video", 1)]
    assert callee.transceivers[1].mid not in ("0", "1", "2")


def test_a_peer_that_asks_a_browser_for_simulcast_gets_the_same_of_us() -> None:
    theirs = capture("chromium/simulcast-answer-to-sfu").media[0]
    caller, callee = side(1), side(2)
    add(caller, "video", "recvonly")
    add_track(callee, "video")
    asked = "".join(f"a=rid:{rid.id} recv\r\n" for rid in theirs.rids)
    callee.set_remote("offer", f"{caller.create_offer()}{asked}a=simulcast:recv q;h;f\r\n")
    (ours,) = parse(callee.create_answer()).media
    assert ours.simulcast == theirs.simulcast
    assert ours.rids == theirs.rids
