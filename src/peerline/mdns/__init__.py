"""Names of browsers' candidates become addresses: multicast DNS (RFC 6762, draft-ietf-mmusic-mdns-ice-candidates).

A browser that was given no camera or microphone hides its private addresses behind names like
0d1ce3e2-7c5f-4b0e-9ac1-9d2b5e8a7f10.local, and answers for them on the link. Nothing here is announced: we only ask.

Reading order: `resolver` (who waits for which name) → `sockets` (the link) → `message` (what goes over it).
"""

from __future__ import annotations

from peerline.mdns.name import is_mdns_name
from peerline.mdns.resolver import resolve

__all__ = ["is_mdns_name", "resolve"]
