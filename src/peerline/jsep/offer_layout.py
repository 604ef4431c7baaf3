"""Which sections of an offer get a transport, and which one stands for the BUNDLE group (RFC 9429, section 4.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from peerline.jsep.record import Record
from peerline.jsep.transceiver import Transceiver
from peerline.jsep.transport import Credentials, Layout, TransportPlan
from peerline.jsep.write import Carrier
from peerline.sdp import MediaSection

__all__ = ["Slot", "bundle_order", "lay_out", "prepared_credentials"]


@dataclass
class Slot:
    """A media section to be written. `old` is what stands there now; None where a new one begins."""

    kind: str
    mid: str
    transceiver: Transceiver | None = None
    is_rejected: bool = False
    old: MediaSection | None = None

    @property
    def is_data(self) -> bool:
        """Whether data channels use it."""
        return self.transceiver is None and not self.is_rejected


def lay_out(
    record: Record, slots: Sequence[Slot], order: Sequence[int], *, is_restart: bool
) -> tuple[Layout, dict[int, Carrier]]:
    """The transports of the offer, and how each section that is not rejected says its own.

    `order` is that of the BUNDLE group; `is_restart` asks for new credentials wherever there are some.
    """
    policy = record.settings.bundle_policy
    is_agreed = _is_group_agreed(record)
    transports: dict[int, TransportPlan] = {}
    keys: list[int | None] = [None] * len(slots)
    seen: set[str] = set()
    next_key = record.next_key
    for index, slot in enumerate(slots):
        if slot.is_rejected:
            continue
        is_first = slot.kind not in seen
        seen.add(slot.kind)
        old = record.layout.of(index) if slot.old is not None else None
        if old is not None:
            if old.key not in transports:
                restarts = is_restart or old.local in record.to_replace
                transports[old.key] = replace(old, local=prepared_credentials(record, old.key)) if restarts else old
            keys[index] = old.key
        elif policy == "max-compat" or index == order[0] or (policy == "balanced" and is_first and not is_agreed):
            local, token = prepared_credentials(record, slot.mid), _token(record, slot.mid)
            transports[next_key] = TransportPlan(next_key, slot.mid, index, local, token, is_controlling=True)
            keys[index] = next_key
            next_key += 1
    bundle_only = [index for index, slot in enumerate(slots) if keys[index] is None and not slot.is_rejected]
    for index in bundle_only:
        keys[index] = keys[order[0]]
    for key, plan in transports.items():
        users = [index for index in order if keys[index] == key]
        if users and plan.index not in users:  # the section that stood for it is gone
            transports[key] = replace(plan, index=users[0], mid=slots[users[0]].mid)
    carriers = {
        index: Carrier(transports[key], "actpass", index in bundle_only)
        for index, key in enumerate(keys)
        if key is not None
    }
    return Layout(transports, tuple(keys)).pruned(), carriers


def bundle_order(record: Record, slots: Sequence[Slot]) -> list[int]:
    """The sections of the group, the one that stands for it first: that of the first transceiver (W3C WebRTC 4.4.2,
    "final steps to create an offer"), unless an agreed group has one already."""
    alive = [index for index, slot in enumerate(slots) if not slot.is_rejected]
    agreed = [index for index in alive if slots[index].old is not None and _stands_for_group(record, index)]
    places = {slot.transceiver: index for index, slot in enumerate(slots) if slot.transceiver and not slot.is_rejected}
    first = next((places[one] for one in record.transceivers if one in places), None)
    return list(dict.fromkeys([*agreed[:1], *(() if first is None else (first,)), *alive]))


def _is_group_agreed(record: Record) -> bool:
    """Whether both sides have a BUNDLE group: what is new joins it."""
    both = (record.current_local, record.current_remote)
    return all(applied is not None and applied.description.bundle for applied in both)


def _stands_for_group(record: Record, index: int) -> bool:
    plan = record.layout.of(index)
    if plan is None or plan.index != index or record.current_local is None or not _is_group_agreed(record):
        return False
    return plan.mid in record.current_local.description.bundle


def prepared_credentials(record: Record, key: object) -> Credentials:
    """New ones, the same until a description with them is set; `key` says for what."""
    made = record.prepared.get(key)
    if not isinstance(made, Credentials) or made in record.to_replace:
        made = record.prepared[key] = record.randomness.credentials()
    return made


def _token(record: Record, mid: str) -> str:
    made = record.prepared.get(("token", mid))
    if not isinstance(made, str):
        made = record.prepared["token", mid] = record.randomness.token()
    return made
