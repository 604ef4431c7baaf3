"""Call set-up: from the click on "Call" to "Connected" on both pages, on this machine, and where the time goes.

    python benchmarks/bench_call_setup.py [--runs 20] [--json]

Two pages in one headless Chromium with fake camera and microphone; `peerline serve` with WebSocket, in memory. The
called page clicks "Accept" by itself as soon as the button is drawn, so no person's time is in it. Both pages take
their times from the system's clock; the phases are steps of the caller's inspector, which knows those of both sides.
They follow one another without gap or overlap. A first call, not counted, warms up the browser.

"ours" is what Peerline does: messages by way of the server, and what the pages do with them. "browser" is what any
page has to wait for: camera and microphone, making and setting descriptions, ICE and DTLS.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

# The people of the end-to-end suite live beside the tests.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from e2e.chromium import launch
from e2e.people import Person, new_page
from system.server_process import ServerProcess, standalone

Step = dict[str, Any]

# Times on the system's clock, in ms: of the first click on a call button, and of the status line's "Connected".
_STOPWATCH = """(() => {
  const now = () => performance.timeOrigin + performance.now();
  window.times = {};
  addEventListener("click", ({ target }) => {
    if (target.closest("button")?.ariaLabel?.startsWith("Call ")) window.times = { clicked: now() };
  }, { capture: true });
  new MutationObserver(() => {
    const text = document.querySelector("[role=status]")?.textContent;
    if (text === "Connected") window.times.connected ??= now();
    else if (text === "Call ended") window.times = {};
  }).observe(document, { subtree: true, childList: true, characterData: true });
})()"""

_ACCEPT_AT_ONCE = """new MutationObserver(() => {
  const button = document.querySelector("dialog[open] .button-accept");
  if (button && !button.disabled) button.click();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["open"] })"""

_STEPS = "window.__peerline.steps.map(({ side, kind, at }) => ({ side, kind, at }))"
_BOTH_CONNECTED = """new Set(window.__peerline.steps.filter(({ kind }) => kind === "connected")
  .map(({ side }) => side)).size === 2"""


@dataclass(frozen=True)
class Phase:
    """What happens until a step, and whose time that is. `side` is seen from the caller."""

    name: str
    whose: str
    side: str
    step: str


PHASES = (
    Phase("call: page → server → ring", "ours", "remote", "ring"),
    Phase("dialog drawn, accepted", "ours", "remote", "accept"),
    Phase("accept → server → caller told", "ours", "local", "up"),
    Phase("caller's camera and microphone, what is left of them", "browser", "local", "addTrack"),
    Phase("createOffer, setLocalDescription", "browser", "local", "offerSent"),
    Phase("offer → server → callee", "ours", "remote", "offerReceived"),
    Phase("setRemoteDescription; callee's camera and microphone", "browser", "remote", "addTrack"),
    Phase("createAnswer, setLocalDescription", "browser", "remote", "answerSent"),
    Phase("answer → server → caller", "ours", "local", "answerReceived"),
    Phase("ICE and DTLS, until both sides are connected", "browser", "last", "connected"),
)  # fmt: skip
DRAWN = '"Connected" drawn on both pages, and the click before the call\'s first step'


def moments(steps: list[Step]) -> list[float]:
    """When each phase ended, in ms since the call's first step."""

    def when(phase: Phase) -> float:
        found = [one["at"] for one in steps if one["kind"] == phase.step and phase.side in (one["side"], "last")]
        return float(max(found) if phase.side == "last" else min(found))

    return [when(phase) for phase in PHASES]


async def measure(caller: Person, callee: Person) -> dict[str, float]:
    """One call: the whole time and that of each phase, in ms."""
    await caller.call(callee)
    for one in (caller, callee):
        await one.reads("Connected")
    await caller.page.wait_for_function(_BOTH_CONNECTED)
    clicked = await caller.page.evaluate("window.times.clicked")
    shown = max([await one.page.evaluate("window.times.connected") for one in (caller, callee)])
    steps: list[Step] = await caller.page.evaluate(_STEPS)
    await caller.hang_up()
    for one in (caller, callee):
        await one.reads("Call ended")
        await one.is_in_lobby()

    ends = moments(steps)
    times = {phase.name: end - start for phase, start, end in zip(PHASES, [0.0, *ends], ends, strict=False)}
    total = shown - clicked
    return {"total": total, **times, DRAWN: total - ends[-1]}


async def _person(browser: Browser, server: ServerProcess, name: str, *scripts: str) -> Person:
    context = await browser.new_context(locale="en-US", permissions=["camera", "microphone"])
    page: Page = await new_page(context, _STOPWATCH, *scripts)
    one = Person(name, page)
    await page.goto(f"http://localhost:{server.port}/?transport=websocket")
    await one.register()
    return one


async def run(runs: int) -> tuple[list[dict[str, float]], str]:
    """All calls, and the browser's version."""
    with tempfile.TemporaryDirectory() as folder:
        server = standalone(Path(folder), "--no-db").start()
        try:
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                ann = await _person(browser, server, "Ann")
                bob = await _person(browser, server, "Bob", _ACCEPT_AT_ONCE)
                await expect(ann.call_button(bob)).to_be_visible()
                await measure(ann, bob)
                return [await measure(ann, bob) for _ in range(runs)], browser.version
        finally:
            server.end()


def summary(calls: list[dict[str, float]], version: str) -> dict[str, Any]:
    """The medians, and how much of the whole is ours."""
    whose = {phase.name: phase.whose for phase in PHASES} | {DRAWN: "ours"}
    totals = [call["total"] for call in calls]
    ours = [sum(call[name] for name, owner in whose.items() if owner == "ours") for call in calls]
    return {
        "runs": len(calls),
        "chromium": version,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "total_ms": {"median": statistics.median(totals), "min": min(totals), "max": max(totals)},
        "ours_ms": {"median": statistics.median(ours), "min": min(ours), "max": max(ours)},
        "phases": [
            {"name": name, "whose": owner, "median_ms": statistics.median(call[name] for call in calls)}
            for name, owner in whose.items()
        ],
    }


def show(found: dict[str, Any]) -> None:
    """The table."""
    total, ours = found["total_ms"], found["ours_ms"]
    print(f"Chromium {found['chromium']}, {found['cpus']} CPUs, median of {found['runs']} calls\n")
    print(f"{'phase':<82}{'whose':<9}{'ms':>7}")
    for phase in found["phases"]:
        print(f"{phase['name']:<82}{phase['whose']:<9}{phase['median_ms']:>7.1f}")
    print(f"\nclick to both sides Connected {total['median']:.0f} ms ({total['min']:.0f} to {total['max']:.0f})")
    print(f"of that ours                  {ours['median']:.0f} ms ({ours['min']:.0f} to {ours['max']:.0f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="calls that are counted (20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    found = summary(*asyncio.run(run(arguments.runs)))
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
