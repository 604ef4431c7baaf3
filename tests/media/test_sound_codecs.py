"""What is particular to the codecs of sound."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("av", reason="codecs need PyAV: pip install 'peerline[media]'")

import av
import numpy as np
from numpy.typing import NDArray

from media.material import pieces, tone, voice
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs import AudioSettings, decoder_for, encoder_for
from peerline.media.codecs.chunker import Chunker
from peerline.media.codecs.concealment import Concealment
from peerline.media.encoded_frame import EncodedFrame


def opus_of(sound: NDArray[np.int16], settings: AudioSettings) -> list[EncodedFrame]:
    encoder = encoder_for("opus", settings)
    return [frame for piece in pieces(sound, 48000, 960) for frame in encoder.encode(piece)]


@pytest.mark.parametrize(("name", "ffmpeg"), [("pcmu", "pcm_mulaw"), ("pcma", "pcm_alaw")])
def test_g711_decodes_every_byte_as_ffmpeg_does(name: str, ffmpeg: str) -> None:
    context: Any = av.CodecContext.create(ffmpeg, "r")
    context.sample_rate, context.layout = 8000, "mono"
    (theirs,) = context.decode(av.Packet(bytes(range(256))))
    (ours,) = decoder_for(name).decode(EncodedFrame(bytes(range(256)), 0, name))
    assert np.array_equal(ours.samples.ravel(), theirs.to_ndarray().ravel())


@pytest.mark.parametrize("name", ["pcmu", "pcma"])
def test_g711_encodes_every_sample_as_the_nearest_one_there_is(name: str) -> None:
    every = np.arange(-32768, 32768).astype(np.int16)
    values = decoder_for(name).decode(EncodedFrame(bytes(range(256)), 0, name))[0].samples.ravel().astype(int)
    (frame, *more) = encoder_for(name).encode(AudioFrame(every[:, None], 8000))
    data = b"".join(one.data for one in (frame, *more))
    chosen = values[np.frombuffer(data, np.uint8)]
    nearest = np.abs(values[:, None] - every[None, : len(chosen)].astype(int)).min(axis=0)
    assert np.array_equal(np.abs(chosen - every[: len(chosen)]), nearest)


def test_opus_recovers_a_lost_frame_from_what_the_next_one_tells() -> None:
    # It glides so fast that nobody could guess how it goes on.
    time_s = np.arange(3 * 48000) / 48000
    wave = 6000 * np.sin(2 * np.pi * (200 * time_s + 20 * np.sin(4 * np.pi * time_s)))
    frames = opus_of(wave.astype(np.int16)[:, None], AudioSettings(expected_loss=0.2))
    clean = decoder_for("opus")
    truth = [clean.decode(frame)[0].samples.astype(float) for frame in frames]

    def error_of(*, with_fec: bool) -> float:
        decoder, error = decoder_for("opus"), 0.0
        for index, frame in enumerate(frames):
            if index % 10 == 5:
                continue
            if index % 10 == 6 and index > 20:
                made = decoder.decode(replace(frame, lost_before=1))[0] if with_fec else decoder.conceal(960)
                error += float(np.sum((truth[index - 1] - made.samples) ** 2))
                if with_fec:
                    continue
            decoder.decode(frame)
        return error

    assert error_of(with_fec=True) < error_of(with_fec=False) / 3


def test_opus_spends_on_its_forerunner_only_what_the_expected_loss_is_worth() -> None:
    sound = voice(1, 48000)
    plain = opus_of(sound, AudioSettings(has_fec=False, expected_loss=0.3))
    doubled = opus_of(sound, AudioSettings(has_fec=True, expected_loss=0.3))
    assert plain[30].data != doubled[30].data


def test_opus_keeps_stereo_apart() -> None:
    left = tone(0.5, 48000, hertz=300)
    both = np.concatenate((left, np.zeros_like(left)), axis=1)
    frames = opus_of(both, AudioSettings(channels=2, bitrate_bps=64_000, application="audio"))
    decoder = decoder_for("opus")
    (sound,) = [decoder.decode(frame) for frame in frames][-1]
    assert sound.channels == 2
    loudness = np.sqrt((sound.samples.astype(float) ** 2).mean(axis=0))
    assert loudness[0] > 20 * loudness[1]


def test_an_opus_decoder_becomes_stereo_with_the_first_stereo_packet_and_stays_so() -> None:
    mono = opus_of(tone(0.1, 48000), AudioSettings())
    stereo = opus_of(tone(0.1, 48000, channels=2), AudioSettings(channels=2, application="audio", bitrate_bps=96_000))
    decoder = decoder_for("opus")
    channels = [decoder.decode(frame)[0].channels for frame in (mono[0], stereo[0], mono[1])]
    assert channels == [1, 2, 2]


def test_opus_sends_next_to_nothing_in_silence_if_it_may() -> None:
    sound = np.concatenate((voice(0.5, 48000), np.zeros((96000, 1), np.int16)))
    always, at_times = opus_of(sound, AudioSettings()), opus_of(sound, AudioSettings(has_dtx=True))
    assert len(always) == 125
    assert len(at_times) < 60


def test_cutting_sound_keeps_every_sample_in_order() -> None:
    chunker = Chunker(8000, 1, 160)
    sound = np.arange(5000, dtype=np.int16)[:, None]
    cut = [chunk for piece in pieces(sound, 8000, 37) for chunk in chunker.push(piece)]
    assert [start for start, _ in cut] == [160 * index for index in range(31)]
    assert np.array_equal(np.concatenate([samples for _, samples in cut]), sound[: 31 * 160])


def test_the_source_may_use_its_array_again() -> None:
    chunker, array = Chunker(8000, 1, 160), np.full((100, 1), 7, np.int16)
    assert list(chunker.push(AudioFrame(array, 8000, 0))) == []
    array[:] = 9
    ((_, samples),) = chunker.push(AudioFrame(array, 8000, 100))
    assert samples.ravel().tolist() == [7] * 100 + [9] * 60


def test_a_source_may_change_its_rate_and_channels() -> None:
    chunker = Chunker(48000, 1, 960)
    count = len(list(chunker.push(AudioFrame(tone(0.1, 48000), 48000))))
    count += len(list(chunker.push(AudioFrame(tone(0.1, 16000, channels=2), 16000))))
    count += len(list(chunker.push(AudioFrame(tone(0.1, 44100, channels=2), 44100))))
    assert 14 <= count <= 15


def test_concealment_goes_on_with_the_period_of_the_voice() -> None:
    concealment = Concealment(8000)
    wave = tone(0.6, 8000, hertz=125)[:, 0]
    concealment.heard(wave[:4000])
    made = concealment.make(80).astype(float)
    assert np.abs(made - wave[4000:4080]).mean() < 0.15 * np.abs(wave[4000:4080]).mean()


def test_the_real_sound_begins_softly_after_a_loss() -> None:
    concealment = Concealment(8000)
    concealment.heard(np.full(800, 1000, np.int16))
    concealment.make(160)
    wave = concealment.heard(np.full(160, -1000, np.int16))
    assert np.abs(np.diff(wave.astype(int))).max() < 200
    assert wave[-1] == -1000
