"""The inspector: every step of the call on both sides, in the order in which WebRTC makes a connection."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from e2e.conftest import Two
from e2e.people import Person, connect, in_order

Step = tuple[str, str]

ME, OTHER = "local", "remote"

_STEPS = "(rows) => rows.map((row) => [row.dataset.side, row.dataset.step])"


def order(caller: str, callee: str) -> list[Step]:
    """The classic call flow (W3C WebRTC 1.0, section 10), by who does what."""
    return [
        (caller, "getUserMedia"),
        (caller, "addTrack"),
        (caller, "negotiationneeded"),
        (caller, "createOffer"),
        (caller, "setLocalDescription"),
        (caller, "offerSent"),
        (callee, "setRemoteDescription"),
        (callee, "createAnswer"),
        (callee, "setLocalDescription"),
        (callee, "answerSent"),
        (caller, "setRemoteDescription"),
        (caller, "connected"),
    ]


async def _rows(person: Person) -> Locator:
    await person.open("Inspector")
    return person.page.locator("[data-step]")


async def _steps(person: Person) -> list[Step]:
    """All steps that the inspector shows, once both sides' last one is there."""
    rows = await _rows(person)
    for side in (ME, OTHER):
        await expect(person.page.locator(f'[data-step="connected"][data-side="{side}"]')).to_be_attached()
    return [(side, kind) for side, kind in await rows.evaluate_all(_STEPS)]


async def test_both_pages_show_the_steps_of_both_sides_in_order(call: Two) -> None:
    ann, bob = call
    for one, wanted in ((ann, order(ME, OTHER)), (bob, order(OTHER, ME))):
        steps = await _steps(one)
        assert in_order(wanted, steps), f"{one.name} sees {steps}"


async def test_tracks_come_before_connected(call: Two) -> None:
    for one in call:
        mine = [kind for side, kind in await _steps(one) if side == ME]
        assert in_order(["setRemoteDescription", "track", "connected"], mine), f"{one.name} sees {mine}"


async def test_both_sides_send_and_add_candidates_before_they_are_connected(two: Two) -> None:
    sent = ["setLocalDescription", "candidatesSent", "connected"]
    added = ["setRemoteDescription", "candidateAdded", "connected"]
    late: list[list[str]] = []
    # Now and then the other's packet is here before its candidate: ICE then connects by a peer-reflexive one
    # (RFC 8445, section 7.3.1.3), or ours are sent a moment later, in one bundle. So there are three tries.
    for _ in range(3):
        await connect(*two)
        mine = [[kind for side, kind in await _steps(one) if side == ME] for one in two]
        late = [steps for steps in mine if not (in_order(sent, steps) and in_order(added, steps))]
        if not late:
            return
        await two[0].hang_up()
        await two[1].reads("Call ended")
    raise AssertionError(f"always one of the two is connected before; at last with {late}")


async def test_the_callee_asks_for_its_camera_after_accepting_and_before_it_answers(call: Two) -> None:
    _, bob = call
    mine = [kind for side, kind in await _steps(bob) if side == ME]
    assert in_order(["accept", "getUserMedia", "createAnswer"], mine)
    assert in_order(["accept", "addTrack", "createAnswer"], mine)
    assert "createOffer" not in mine, "the callee does not offer at first"


async def test_every_candidate_is_labelled(call: Two) -> None:
    ann, _ = call
    await _steps(ann)
    found = ann.page.locator('[data-step="candidateGathered"], [data-step="candidateAdded"]')
    texts = await found.all_inner_texts()
    assert texts
    for text in texts:
        assert re.search(r"\b(local|public|relayed)\b", text), text


async def test_a_step_opens_with_an_explanation_and_what_was_sent_and_closes_again(call: Two) -> None:
    ann, _ = call
    await _steps(ann)
    row = ann.page.locator('[data-step="offerSent"][data-side="local"]').first.get_by_role("button")
    await expect(row).to_have_attribute("aria-expanded", "false")
    step = await ann.open_step("offerSent")
    await expect(step).to_contain_text("The offer goes to the other side")
    await expect(step).to_contain_text("v=0")
    await expect(step).to_contain_text("m=video")
    await row.click()
    await expect(row).to_have_attribute("aria-expanded", "false")
    await expect(step).not_to_contain_text("v=0")


async def test_each_line_of_a_description_is_explained_on_wish_in_the_language_of_the_page(talking: Two) -> None:
    # A call of its own: the language and what was chosen stay with the page.
    ann, _ = talking
    await _steps(ann)
    step = await ann.open_step("offerSent")
    await step.get_by_role("checkbox", name="Explain each line").check()
    fingerprint = step.locator('[data-row="fingerprint"]').first
    await expect(fingerprint).to_contain_text("a=fingerprint:sha-256")
    await expect(fingerprint).to_contain_text("the certificate that this side will show")
    await expect(fingerprint).to_contain_text("RFC 8122 §5")
    await expect(step.locator('[data-row^="unknown"], [data-row="no-line"]')).to_have_count(0)
    await ann.page.get_by_role("combobox", name="Language").select_option(label="中文")
    await expect(fingerprint).to_contain_text("本方将出示的证书的指纹")
    # What was chosen holds for the next step too.
    created = await ann.open_step("createOffer")
    await expect(created.get_by_role("checkbox", name="逐行解释")).to_be_checked()


async def test_the_diagram_grows_while_one_watches(call: Two) -> None:
    ann, _ = call
    rows = await _rows(ann)
    before = await rows.count()
    limit = ann.page.get_by_role("spinbutton", name="Video limit (kbit/s)")
    await limit.fill("500")
    await limit.press("Enter")
    await expect(ann.page.locator('[data-step="limits"][data-side="local"]')).to_be_attached()
    assert await rows.count() > before
