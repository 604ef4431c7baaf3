"""Messages: samples of RFC 5769, there and back, and arbitrary bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerline.doctor.stun.address import address_in, write_xored
from peerline.doctor.stun.errors import MalformedError
from peerline.doctor.stun.integrity import long_term_key
from peerline.doctor.stun.message import Attribute, Kind, Method, read, write

TRANSACTION = b"twelve bytes"
# RFC 5769 §2.2; the password is the key there.
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220 002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96"
)
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"


def test_the_sample_response_is_read_and_its_signature_is_right() -> None:
    message = read(RESPONSE)
    assert (message.method, message.kind) == (Method.BINDING, Kind.SUCCESS)
    assert address_in(message, Attribute.XOR_MAPPED_ADDRESS) == ("192.0.2.1", 32853)
    assert message.is_signed_with(PASSWORD)
    assert not message.is_signed_with(PASSWORD + b"!")


def test_one_flipped_bit_is_noticed_anywhere_before_the_fingerprint() -> None:
    for position in range(len(RESPONSE) - 8):
        for bit in range(8):
            changed = bytearray(RESPONSE)
            changed[position] ^= 1 << bit
            assert not is_believed(bytes(changed)), (position, bit)


def is_believed(data: bytes) -> bool:
    try:
        return read(data).is_signed_with(PASSWORD)
    except MalformedError:
        return False


def test_the_key_of_a_long_term_credential_is_that_of_rfc_8489() -> None:
    # RFC 8489 §9.2.2: the MD5 of "user:realm:pass".
    assert long_term_key("user", "realm", "pass").hex() == "8493fbc53ba582fb4c044c456bdc40eb"


numbers = st.integers(0, 0xFFFF).filter(lambda n: n not in (Attribute.MESSAGE_INTEGRITY, Attribute.FINGERPRINT))
attribute_lists = st.lists(st.tuples(numbers, st.binary(max_size=40)), max_size=6)


@given(
    st.sampled_from(Method), st.sampled_from(Kind), st.binary(min_size=12, max_size=12), attribute_lists,
    st.none() | st.binary(min_size=1, max_size=16),
)  # fmt: skip
def test_what_is_written_is_read_back(
    method: Method, kind: Kind, transaction: bytes, attributes: list[tuple[int, bytes]], key: bytes | None
) -> None:
    message = read(write(method, kind, transaction, attributes, key))
    assert (message.method, message.kind, message.transaction) == (method, kind, transaction)
    assert list(message.attributes) == attributes
    assert message.is_signed_with(key or b"?") == (key is not None)


@given(st.ip_addresses().map(str), st.integers(0, 65535), st.binary(min_size=12, max_size=12))
def test_addresses_come_back_as_they_went_in(ip: str, port: int, transaction: bytes) -> None:
    value = write_xored((ip, port), transaction)
    message = read(write(Method.BINDING, Kind.SUCCESS, transaction, [(Attribute.XOR_MAPPED_ADDRESS, value)]))
    assert address_in(message, Attribute.XOR_MAPPED_ADDRESS) == (ip, port)


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda tail: RESPONSE[:20] + tail))
def test_arbitrary_bytes_raise_nothing_but_malformed(data: bytes) -> None:
    try:
        message = read(data)
        address_in(message, Attribute.XOR_MAPPED_ADDRESS)
        message.is_signed_with(b"key")
    except MalformedError:
        pass


def test_attributes_behind_the_signature_are_not_believed() -> None:
    signed = write(Method.BINDING, Kind.SUCCESS, TRANSACTION, [], b"key")
    smuggled = b"\x00\x0d\x00\x04\x00\x00\x00\x01"
    data = signed[:2] + (len(signed) - 20 + len(smuggled)).to_bytes(2) + signed[4:] + smuggled
    message = read(data)
    assert message.get(Attribute.LIFETIME) is None
    assert message.is_signed_with(b"key")


@pytest.mark.parametrize("value", [b"", b"\0\1\0", b"\0\1\0\0\1\2\3", b"\0\3\0\0\1\2\3\4", b"\0\2\0\0\1\2\3\4"])
def test_an_address_of_the_wrong_shape_is_refused(value: bytes) -> None:
    message = read(write(Method.BINDING, Kind.SUCCESS, TRANSACTION, [(Attribute.XOR_MAPPED_ADDRESS, value)]))
    with pytest.raises(MalformedError):
        address_in(message, Attribute.XOR_MAPPED_ADDRESS)
