"""libopus called directly (RFC 6716): what FFmpeg leaves out are new bitrates, concealment and in-band FEC."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peerline.errors import EncodingError, NotSupportedError
from peerline.media.codecs.libraries import HINT, c_library

__all__ = [
    "APPLICATIONS",
    "BITRATE",
    "DTX",
    "EXPECTED_LOSS",
    "FEC",
    "Decoder",
    "Encoder",
    "packet_samples",
    "tells_of_the_one_before",
]

# Requests of opus_encoder_ctl (opus_defines.h).
BITRATE, FEC, EXPECTED_LOSS, DTX = 4002, 4012, 4014, 4016
APPLICATIONS = {"voip": 2048, "audio": 2049, "lowdelay": 2051}

RATE = 48000
_LONGEST = RATE * 120 // 1000
_LARGEST_PACKET = 1275 * 6 + 7


@cache
def library() -> Any:
    """With its functions declared. Raises NotSupportedError if there is none."""
    lib = c_library("opus")
    if lib is None:
        raise NotSupportedError("libopus is not here", hint=HINT)
    lib.opus_encoder_create.restype = lib.opus_decoder_create.restype = c_void_p
    lib.opus_encoder_create.argtypes = (c_int32, c_int, c_int, POINTER(c_int))
    lib.opus_decoder_create.argtypes = (c_int32, c_int, POINTER(c_int))
    lib.opus_encoder_destroy.argtypes = lib.opus_decoder_destroy.argtypes = (c_void_p,)
    lib.opus_encoder_destroy.restype = lib.opus_decoder_destroy.restype = None
    lib.opus_encoder_ctl.argtypes = (c_void_p, c_int)  # the third is variadic
    lib.opus_encode.argtypes = (c_void_p, c_void_p, c_int, c_void_p, c_int32)
    lib.opus_decode.argtypes = (c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int)
    lib.opus_packet_get_nb_samples.argtypes = (c_char_p, c_int32, c_int32)
    lib.opus_strerror.restype = c_char_p
    return lib


def _checked(result: int) -> int:
    if result < 0:
        raise EncodingError(f"opus: {library().opus_strerror(result).decode()}")
    return result


def packet_samples(data: bytes) -> int:
    """How many samples a channel a packet holds, at 48 kHz. Raises EncodingError if it is none."""
    count = _checked(library().opus_packet_get_nb_samples(data, len(data), RATE))
    if not 0 < count <= _LONGEST:
        raise EncodingError("opus: a packet of no length")
    return count


def tells_of_the_one_before(data: bytes) -> bool:
    """Whether a packet has in-band FEC: its first frame says so behind the flags for speech (RFC 6716, 4.2.3)."""
    configuration = data[0] >> 3
    if configuration >= 16 or len(data) < 2 or data[0] & 3:
        return False  # CELT has none; packets of several frames are none of an encoder for calls
    frames = max(1, configuration % 4) if configuration < 12 else 1
    is_stereo = data[0] & 4
    flags = data[1] >> 7 - frames | (data[1] >> 6 - 2 * frames if is_stereo else 0)
    return bool(flags & 1)


class Encoder:
    """At 48 kHz."""

    def __init__(self, channels: int, application: str) -> None:
        self._lib = library()
        error = c_int()
        self._state = self._lib.opus_encoder_create(RATE, channels, APPLICATIONS[application], byref(error))
        _checked(error.value)
        self._packet = ctypes.create_string_buffer(_LARGEST_PACKET)

    def set(self, request: int, value: int) -> None:
        """One of the requests above."""
        _checked(self._lib.opus_encoder_ctl(self._state, request, c_int32(value)))

    def encode(self, samples: NDArray[np.int16]) -> bytes:
        """Of shape (count, channels); the count is one that Opus has."""
        samples = np.ascontiguousarray(samples)
        size = self._lib.opus_encode(self._state, samples.ctypes.data, len(samples), self._packet, len(self._packet))
        return ctypes.string_at(self._packet, _checked(size))

    def close(self) -> None:
        """Give its memory back."""
        if self._state:
            self._lib.opus_encoder_destroy(self._state)
            self._state = None

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self.close()


class Decoder:
    """At 48 kHz; mono packets are doubled for two channels, stereo ones mixed for one."""

    def __init__(self, channels: int) -> None:
        self._lib = library()
        self.channels = channels
        error = c_int()
        self._state = self._lib.opus_decoder_create(RATE, channels, byref(error))
        _checked(error.value)

    def decode(self, data: bytes | None, count: int, *, has_fec: bool = False) -> NDArray[np.int16]:
        """A packet; with `has_fec` what it says of the one before it; with None what might have come."""
        samples = np.empty((count, self.channels), np.int16)
        size = 0 if data is None else len(data)
        made = self._lib.opus_decode(self._state, data, size, samples.ctypes.data, count, int(has_fec))
        return samples[: _checked(made)]

    def close(self) -> None:
        """Give its memory back."""
        if self._state:
            self._lib.opus_decoder_destroy(self._state)
            self._state = None

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self.close()
