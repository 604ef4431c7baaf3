"""Which way the packets of a page's call go: the selected candidate pair (W3C WebRTC Statistics §8.17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

_READ = """async () => {
  const pc = window.__peerline.peerConnections.at(-1);
  const stats = pc ? [...(await pc.getStats()).values()] : [];
  const byId = new Map(stats.map((one) => [one.id, one]));
  const transport = stats.find((one) => one.type === "transport");
  const local = byId.get(byId.get(transport?.selectedCandidatePairId)?.localCandidateId);
  return local ? { kind: local.candidateType, relay: local.relayProtocol ?? null } : null;
}"""


@dataclass(frozen=True)
class Route:
    """How one page sends."""

    kind: str | None = None
    """Of its own candidate: "host", "srflx", "prflx" or "relay"; None as long as there is no connection."""
    relay: str | None = None
    """How it speaks with its relay: "udp", "tcp" or "tls"; None if it uses none."""


async def route_of(page: Page) -> Route:
    """That of the page's newest peer connection."""
    read: dict[str, Any] | None = await page.evaluate(_READ)
    return Route(**read) if read else Route()
