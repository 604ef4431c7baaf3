"""Creates an offer: the sections there are, new ones for what has none, what each of them says (RFC 9429, 5.2)."""

from __future__ import annotations

from dataclasses import replace

from peerline.jsep.candidates import with_gathered
from peerline.jsep.direction import sends
from peerline.jsep.numbers import Numbers
from peerline.jsep.offer_layout import Slot, bundle_order, lay_out
from peerline.jsep.record import Created, Record
from peerline.jsep.transceiver import rids_of
from peerline.jsep.write import Carrier, data_section, media_section, rejected_section, session_section
from peerline.sdp import Description, MediaSection

__all__ = ["create_offer"]

_RTP = "UDP/TLS/RTP/SAVPF"
_SCTP = "UDP/DTLS/SCTP"


def create_offer(record: Record, *, is_ice_restart: bool = False) -> Created:
    """Changes nothing but what is remembered of the offer itself. The same state gives the same text."""
    slots = _slots(record)
    order = bundle_order(record, slots)
    layout, carriers = lay_out(record, slots, order, is_restart=is_ice_restart)
    numbers = Numbers(record)
    sections = [_section(record, slot, index, carriers.get(index), numbers) for index, slot in enumerate(slots)]
    media = with_gathered(record, sections, layout)
    groups = [[slots[index].mid for index in order]] if order else []
    description = Description(session_section(record.settings, record.version, groups), media)
    text = str(description)
    if record.last_offer is not None and record.last_offer.text != text:
        record.version += 1
        description = replace(description, session=session_section(record.settings, record.version, groups))
        text = str(description)
    data_mid = next((slot.mid for slot in slots if slot.is_data), None)
    members = tuple(slot.transceiver for slot in slots)
    record.last_offer = Created("offer", description, text, data_mid, layout, members)
    return record.last_offer


def _slots(record: Record) -> list[Slot]:
    base = record.local
    mids = record.mids()
    fresh = record.next_mid
    taken: list[Slot] = []

    def new_mid() -> str:
        nonlocal fresh
        while str(fresh) in mids:
            fresh += 1
        fresh += 1
        return str(fresh - 1)

    waiting = [one for one in record.transceivers if one.mid is None and not one.is_stopping]
    needs_data = record.wants_data and record.data_mid is None
    for index, old in enumerate(base.sections if base is not None else ()):
        transceiver = record.at(index)
        if transceiver is not None:
            assert transceiver.mid is not None
            taken.append(Slot(old.kind, transceiver.mid, transceiver, transceiver.is_stopping, old))
        elif record.data_mid is not None and record.data_index == index:
            taken.append(Slot(old.kind, record.data_mid, old=old))
        elif waiting and _is_free(record, index):
            first = waiting.pop(0)
            taken.append(Slot(first.kind, new_mid(), first))
        elif needs_data and _is_free(record, index):
            needs_data = False
            taken.append(Slot("application", new_mid()))
        else:
            taken.append(Slot(old.kind, old.mid or new_mid(), None, True, old))
    taken += (Slot(one.kind, new_mid(), one) for one in waiting)
    if needs_data:
        taken.append(Slot("application", new_mid()))
    return taken


def _is_free(record: Record, index: int) -> bool:
    """Whether a section was rejected, and both sides know: it may be used for something new (RFC 9429, 5.2.2)."""
    sections = [one.section(index) for one in (record.current_local, record.current_remote) if one is not None]
    return any(section is not None and section.is_rejected for section in sections)


def _section(record: Record, slot: Slot, index: int, carrier: Carrier | None, numbers: Numbers) -> MediaSection:
    old = slot.old
    if carrier is None:
        assert old is not None, "a section that never was is not rejected"
        return rejected_section(old.kind, old.protocol, old.formats, slot.mid)
    if slot.transceiver is None:
        protocol = old.protocol if old is not None and old.protocol == "DTLS/SCTP" else _SCTP
        return data_section(slot.mid, carrier, record.settings, protocol=protocol)
    transceiver = slot.transceiver
    if sends(transceiver.direction) and transceiver.ssrcs is None:
        transceiver.ssrcs = (record.randomness.ssrc(), record.randomness.ssrc())
    return media_section(
        transceiver, slot.mid, carrier, record.settings,
        protocol=_RTP if old is None else old.protocol,
        direction=transceiver.direction,
        codecs=numbers.codecs(transceiver, None if old is None else index),
        extensions=numbers.extensions(transceiver, None if old is None else index),
        rids=rids_of(transceiver.encodings) if len(transceiver.encodings) > 1 else (),
        is_offer=True,
    )  # fmt: skip
