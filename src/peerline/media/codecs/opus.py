"""Opus, 48 kHz, mono or stereo (RFC 6716, 7587)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from peerline.media.codecs import libopus
from peerline.media.codecs.audio_decoder import BaseAudioDecoder
from peerline.media.codecs.audio_encoder import BaseAudioEncoder
from peerline.media.codecs.settings import AudioSettings

__all__ = ["OpusDecoder", "OpusEncoder"]

Samples = NDArray[np.int16]

# Opus conceals and recovers in steps of 2.5 ms.
_STEP = 120


class OpusEncoder(BaseAudioEncoder):
    """Between 6 and 510 kbit/s; bitrate and expected loss hold from the next frame on."""

    codec = "opus"
    rate = clock_rate = libopus.RATE

    def __init__(self, settings: AudioSettings) -> None:
        super().__init__(settings, settings.channels)
        self._has_dtx = settings.has_dtx
        self._encoder = libopus.Encoder(settings.channels, settings.application)
        self._encoder.set(libopus.FEC, int(settings.has_fec))
        self._encoder.set(libopus.DTX, int(settings.has_dtx))
        self.set_bitrate(settings.bitrate_bps)
        self.set_expected_loss(settings.expected_loss)

    def set_bitrate(self, bitrate_bps: int) -> None:
        """From the next frame on."""
        if not self._is_closed:
            self._encoder.set(libopus.BITRATE, min(max(bitrate_bps, 6_000), 510_000))

    def set_expected_loss(self, share: float) -> None:
        """From the next frame on."""
        if not self._is_closed:
            self._encoder.set(libopus.EXPECTED_LOSS, round(100 * min(max(share, 0.0), 1.0)))

    def close(self) -> None:
        """Give memory back; once more is fine."""
        super().close()
        self._encoder.close()

    def _encode(self, samples: Samples) -> bytes | None:
        packet = self._encoder.encode(samples)
        # One or two bytes say that nothing need be sent (RFC 7587, section 3.1.3).
        return None if self._has_dtx and len(packet) <= 2 else packet


class OpusDecoder(BaseAudioDecoder):
    """Mono until the first stereo packet comes. libopus makes up for losses, and the next packet may tell of one."""

    codec = "opus"
    rate = clock_rate = libopus.RATE

    def __init__(self) -> None:
        super().__init__()
        self._decoder = libopus.Decoder(1)

    def close(self) -> None:
        """Give memory back; once more is fine."""
        super().close()
        self._decoder.close()

    def _count(self, data: bytes) -> int:
        # The third bit of a packet tells stereo (RFC 6716, section 3.1).
        if data[0] & 4 and self._decoder.channels == 1:
            self._decoder.close()
            self._decoder = libopus.Decoder(2)
        return libopus.packet_samples(data)

    def _decode(self, data: bytes, count: int) -> Samples:
        return self._decoder.decode(data, count)

    def _conceal(self, sample_count: int) -> Samples:
        steps = -(-sample_count // _STEP)
        return self._decoder.decode(None, steps * _STEP)[:sample_count]

    def _recover(self, data: bytes, sample_count: int) -> Samples:
        self.has_recovered = libopus.tells_of_the_one_before(data)
        return self._decoder.decode(data, sample_count, has_fec=True)
