"""The table of who reaches whom, and how: written as Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from lab.route import Route
from peerline.lab import NatType

Pair = tuple[NatType, NatType]


def cell(routes: tuple[Route, Route]) -> str:
    """What happened between two pages."""
    relays = {route.relay for route in routes if route.kind == "relay"}
    if not relays:
        return "direct"
    return "relay over TLS" if "tls" in relays else "relay"


def table(found: Mapping[Pair, str]) -> str:
    """All of them, in both orders."""
    types = list(NatType)
    lines = ["| | " + " | ".join(map(str, types)) + " |", "|---" * (len(types) + 1) + "|"]
    for one in types:
        cells = [found.get((one, other)) or found[other, one] for other in types]
        lines.append(f"| **{one}** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(found: Mapping[Pair, str], browser: str, relay: str) -> str:
    """The whole page of the documentation."""
    return f"""# Who reaches whom

Two pages of `peerline serve` in {browser} call each other, each behind a NAT of its own, with {relay} as TURN server.
What the types are, and why it comes out like this, stands in [nat-lab.md](nat-lab.md).

{table(found)}

- *direct*: the packets go from browser to browser.
- *relay*: at least one of them sends through the TURN server, and speaks UDP with it.
- *relay over TLS*: at least one of them must speak TLS with the TURN server, as UDP does not pass.

`make natlab` has written this page.
"""
