"""What `RTCDataChannel.send` takes and what arrives (W3C WebRTC, section 6.2): all types, both binary types, limits."""

from __future__ import annotations

import array
import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from connections import negotiate, trickle

from peerline import Blob, RTCDataChannel, RTCPeerConnection
from peerline.errors import InvalidStateError, OperationError

_samples = np.arange(12, dtype=np.int16).reshape(3, 4)

# What is given, and the bytes or the text that arrives.
SENT: dict[str, tuple[Any, str | bytes]] = {
    "text": ("Grüße, 世界", "Grüße, 世界"),
    "no text": ("", ""),
    "text with half a surrogate": ("a\ud800b", "a\ufffdb"),
    "bytes": (b"\x00\xff", b"\x00\xff"),
    "no bytes": (b"", b""),
    "bytearray": (bytearray(b"abc"), b"abc"),
    "memoryview": (memoryview(b"abcdef")[1:3], b"bc"),
    "memoryview with gaps": (memoryview(b"abcdef")[::2], b"ace"),
    "array": (array.array("H", [1, 2]), array.array("H", [1, 2]).tobytes()),
    "numpy array": (_samples, _samples.tobytes()),
    "numpy column": (_samples[:, 1], _samples[:, 1].tobytes()),
    "numpy transposed": (_samples.T, _samples.T.tobytes()),
    "Blob": (Blob(["ab", b"\x00", Blob([b"c"])]), b"ab\x00c"),
    "empty Blob": (Blob(), b""),
    "number": (1.5, "1.5"),
    "truth": (True, "true"),
}


@pytest_asyncio.fixture
async def channels() -> AsyncIterator[tuple[RTCDataChannel, RTCDataChannel]]:
    """Both ends of an open channel."""
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee, asyncio.timeout(20):
        trickle(caller, callee)
        mine = caller.createDataChannel("messages")
        theirs: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
        callee.ondatachannel = lambda event: theirs.set_result(event.channel)
        await negotiate(caller, callee)
        yield await mine.opened(), await theirs


def heard(channel: RTCDataChannel) -> asyncio.Queue[Any]:
    """What arrives, as its handler sees it."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    channel.onmessage = lambda event: queue.put_nowait(event.data)
    return queue


async def test_every_type_arrives_as_the_bytes_or_the_text_it_is(
    channels: tuple[RTCDataChannel, RTCDataChannel],
) -> None:
    mine, theirs = channels
    arrived = heard(theirs)
    for given, _ in SENT.values():
        mine.send(given)
    for name, (_, expected) in SENT.items():
        got = await arrived.get()
        assert (type(got), got) == (type(expected), expected), name


async def test_what_is_changed_after_sending_arrives_as_it_was(
    channels: tuple[RTCDataChannel, RTCDataChannel],
) -> None:
    mine, theirs = channels
    arrived = heard(theirs)
    samples = np.zeros(4, dtype=np.uint8)
    mine.send(samples)
    samples[:] = 255
    assert await arrived.get() == bytes(4)


async def test_binary_type_blob_makes_blobs_of_bytes_and_leaves_text(
    channels: tuple[RTCDataChannel, RTCDataChannel],
) -> None:
    mine, theirs = channels
    assert theirs.binaryType == "arraybuffer"
    theirs.binaryType = "blob"
    theirs.binaryType = "nodebuffer"
    assert theirs.binaryType == "blob"
    arrived = heard(theirs)
    mine.send(b"abc")
    mine.send("abc")
    blob = await arrived.get()
    assert isinstance(blob, Blob)
    assert (blob.size, await blob.arrayBuffer()) == (3, b"abc")
    assert await arrived.get() == "abc"


@pytest.mark.parametrize("wrong", [None, object(), ["abc"], {"a": 1}], ids=["None", "object", "list", "dict"])
async def test_what_is_no_message_is_refused_and_nothing_is_queued(
    channels: tuple[RTCDataChannel, RTCDataChannel], wrong: object
) -> None:
    mine, theirs = channels
    arrived = heard(theirs)
    with pytest.raises(TypeError):
        mine.send(wrong)
    assert mine.bufferedAmount == 0
    mine.send("still open")
    assert await arrived.get() == "still open"


async def test_a_message_over_the_limit_is_refused_and_the_largest_arrives(
    channels: tuple[RTCDataChannel, RTCDataChannel],
) -> None:
    mine, theirs = channels
    limit = 262_144
    arrived = heard(theirs)
    with pytest.raises(TypeError, match=r"at most"):
        mine.send(bytes(limit + 1))
    with pytest.raises(TypeError, match=r"at most"):
        mine.send("ä" * (limit // 2 + 1))
    mine.send("ä" * (limit // 2))
    assert await arrived.get() == "ä" * (limit // 2)


async def test_who_sends_more_than_there_is_room_for_is_told_and_all_that_was_taken_arrives(
    channels: tuple[RTCDataChannel, RTCDataChannel],
) -> None:
    mine, theirs = channels
    arrived = heard(theirs)
    empty = asyncio.Event()
    mine.onbufferedamountlow = lambda _: empty.set()
    piece, taken, refused = bytes(65_536), 0, None
    while refused is None and taken < 4096:
        try:
            mine.send(piece)
            taken += 1
        except OperationError as error:
            refused = error
    assert refused is not None
    assert refused.hint
    assert mine.readyState == "open"
    assert mine.bufferedAmount <= 64 * 1024 * 1024
    for _ in range(taken):
        assert await arrived.get() == piece
    await empty.wait()
    assert mine.bufferedAmount == 0


async def test_a_closed_channel_takes_nothing(channels: tuple[RTCDataChannel, RTCDataChannel]) -> None:
    mine, theirs = channels
    closed = asyncio.Event()
    theirs.onclose = lambda _: closed.set()
    mine.close()
    await closed.wait()
    for channel in channels:
        with pytest.raises(InvalidStateError):
            channel.send("late")
