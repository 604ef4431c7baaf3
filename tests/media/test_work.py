"""Work for codecs: in order, off the event loop, and on the thread that brings it where it is brief."""

from __future__ import annotations

import asyncio
import threading

import pytest

pytest.importorskip("av", reason="codecs need PyAV: pip install 'peerline[media]'")

import numpy as np

from media.tracks import until
from peerline.media.audio_frame import AudioFrame
from peerline.media.decoding import SoundDecoding
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.encoding import SoundEncoding
from peerline.media.sink import Frame
from peerline.media.work import Work


def test_brief_work_is_done_where_it_is_brought_and_other_work_is_not() -> None:
    done: list[tuple[int, bool]] = []
    work: Work[int] = Work(lambda item: done.append((item, threading.current_thread() is here)), 10)
    here = threading.current_thread()
    work.push(1, at_once=True)
    assert done == [(1, True)]
    over = threading.Event()
    work.push(2)
    work.push_last(over.set)
    assert over.wait(10)
    assert done == [(1, True), (2, False)]


def test_brief_work_waits_for_what_another_thread_is_at() -> None:
    began, go_on, over = threading.Event(), threading.Event(), threading.Event()
    done: list[int] = []

    def do(item: int) -> None:
        if item == 1:
            began.set()
            assert go_on.wait(10)
        done.append(item)

    work: Work[int] = Work(do, 10)
    work.push(1)
    assert began.wait(10)
    work.push(2, at_once=True)
    assert not done
    go_on.set()
    work.push_last(over.set)
    assert over.wait(10)
    assert done == [1, 2]


def test_what_closes_it_in_the_middle_of_brief_work_comes_last() -> None:
    done: list[object] = []

    def do(item: int) -> None:
        work.close()
        work.push_last(lambda: done.append("closed"))
        done.append(item)

    work: Work[int] = Work(do, 10)
    work.push(1, at_once=True)
    assert done == [1, "closed"]
    assert work.push(2, at_once=True) == 0
    assert done == [1, "closed"]


def sound(number: int) -> AudioFrame:
    wave = 6000 * np.sin(np.arange(960) * 0.05)
    return AudioFrame(wave.astype(np.int16)[:, None], 48000, number * 960)


async def test_sound_is_encoded_on_the_thread_of_its_source_and_never_on_an_event_loop() -> None:
    threads: list[threading.Thread] = []
    encoding = SoundEncoding("opus", lambda _: threads.append(threading.current_thread()), 32_000)
    encoding.push(sound(0))
    await until(lambda: threads)
    assert threading.current_thread() not in threads

    def bring() -> threading.Thread:
        encoding.push(sound(1))
        return threading.current_thread()

    brought_by = await asyncio.to_thread(bring)
    assert threads[1:] == [brought_by]
    encoding.push(sound(2))
    await until(lambda: len(threads) == 3)
    assert threading.current_thread() not in threads
    encoding.close()


async def test_what_a_packet_tells_of_the_one_before_it_is_not_counted_as_made_up() -> None:
    sent: list[EncodedFrame] = []
    encoding = SoundEncoding("opus", sent.append, 32_000)
    encoding.expected_loss = 0.2

    def speak(first: int) -> None:
        for number in range(first, first + 20):
            encoding.push(sound(number))

    await asyncio.to_thread(speak, 0)
    await until(lambda: len(sent) == 20)
    encoding.expected_loss = 0.0
    await asyncio.to_thread(speak, 20)
    await until(lambda: len(sent) == 40)
    encoding.close()

    heard: list[Frame] = []
    decoding = SoundDecoding(heard.append)
    for number, frame in enumerate(sent):
        if number not in (10, 30):
            lost = EncodedFrame(frame.data, frame.timestamp, frame.codec, lost_before=int(number in (11, 31)))
            decoding.push(lost)
    await until(lambda: len(heard) == 40)
    # The second loss came when nothing was said twice any more.
    assert (decoding.meter.concealments, decoding.meter.concealed) == (1, 960)
    decoding.close()
