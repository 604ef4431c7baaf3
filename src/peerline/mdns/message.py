"""DNS messages as far as addresses of names need them: one question out, answers in (RFC 1035 §4, RFC 6762 §18).

Nothing that comes is trusted: what is not right raises MessageError and nothing else.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from peerline.mdns.name import canonical

A, AAAA = 1, 28

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_QUESTION = struct.Struct("!HH")
_CLASS_IN = 1
# The highest bit says "this is all there is" (RFC 6762, section 10.2).
_CLASS_BITS = 0x7FFF
_RESPONSE = 0x8000
_OPCODE_AND_ERROR = 0x780F
_MAX_MESSAGE_BYTES = 9000
_MAX_RECORDS = 256
_MAX_NAME_BYTES = 255
_POINTER = 0xC0


class MessageError(ValueError):
    """These bytes are no answer that makes sense."""


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """Somebody says that a name has this address, for so long; 0 s: no longer."""

    name: bytes
    """In its canonical spelling."""
    address: str
    ttl_s: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says about addresses; other records are passed over."""

    id: int
    records: tuple[AddressRecord, ...]


def write_question(id: int, labels: tuple[bytes, ...], kind: int) -> bytes:
    """One question, for that is all that some browsers read. `kind` is A or AAAA."""
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _HEADER.pack(id, 0, 1, 0, 0, 0) + name + _QUESTION.pack(kind, _CLASS_IN)


def read_answer(message: bytes) -> Answer:
    """Raises MessageError for what is no response, and for one that is broken anywhere."""
    if len(message) > _MAX_MESSAGE_BYTES:
        raise MessageError("longer than a message may be")
    try:
        id, flags, questions, answers, authorities, additional = _HEADER.unpack_from(message)
        if flags & _RESPONSE == 0 or flags & _OPCODE_AND_ERROR:
            raise MessageError("no answer to a question")
        if questions + answers + authorities + additional > _MAX_RECORDS:
            raise MessageError("more records than anybody needs")
        at = _HEADER.size
        for _ in range(questions):
            at = _name(message, at)[1] + _QUESTION.size
        records = tuple(_addresses(message, at, answers + authorities + additional))
    except struct.error as error:
        raise MessageError("cut short") from error
    return Answer(id, records)


def _addresses(message: bytes, at: int, count: int) -> Iterator[AddressRecord]:
    """An address that was not asked for may stand among the additional records (RFC 6762, section 6.1)."""
    for _ in range(count):
        name, at = _name(message, at)
        kind, klass, ttl_s, size = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        value = message[at : at + size]
        if len(value) < size:
            raise MessageError("a record runs past the end")
        at += size
        if klass & _CLASS_BITS != _CLASS_IN or kind not in (A, AAAA):
            continue
        if size != (4 if kind == A else 16):
            raise MessageError("an address of a wrong length")
        yield AddressRecord(name, str(ipaddress.ip_address(value)), ttl_s)


def _name(message: bytes, at: int) -> tuple[bytes, int]:
    """The name that begins there, in its canonical spelling, and where what follows it begins (RFC 1035, 4.1.4)."""
    labels: list[bytes] = []
    size, end, limit = 1, None, at + 1
    while True:
        if at >= len(message):
            raise MessageError("a name runs past the end")
        length = message[at]
        if length >= _POINTER:
            (word,) = struct.unpack_from("!H", message, at)
            end = end or at + 2
            # Always further back than before, so that it comes to an end.
            at = word & 0x3FFF
            if at >= limit - 1:
                raise MessageError("a name that points forward")
            limit = at + 1
            continue
        if length > 63:
            raise MessageError("a label of an unknown kind")
        label = message[at + 1 : at + 1 + length]
        at += 1 + length
        if length == 0:
            return canonical(tuple(labels)), end or at
        size += 1 + length
        if len(label) < length or size > _MAX_NAME_BYTES:
            raise MessageError("a name that is too long")
        labels.append(label)
