"""The codecs alone: the classes that the implementations use, as functions of a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av
from aiortc.codecs import opus as aiortc_opus
from aiortc.codecs import vpx as aiortc_vpx
from aiortc.jitterbuffer import JitterFrame

from peerline.media.codecs import AudioSettings, VideoSettings, decoder_for, encoder_for
from peerline.media.video_frame import VideoFrame

from . import pictures

__all__ = ["Codec", "opus_codec", "vp8_codec"]

Codec = tuple[Callable[[Any, int], Any], Callable[[Any], Any]]
"""Encode the frame of this number; decode what came out of it."""


def opus_codec(implementation: str) -> Codec:
    """A new encoder and a new decoder."""
    if implementation == "aiortc":
        their_encoder, their_decoder = aiortc_opus.OpusEncoder(), aiortc_opus.OpusDecoder()

        def decode(made: tuple[list[bytes], int]) -> Any:
            return [their_decoder.decode(JitterFrame(data, made[1])) for data in made[0]]

        return lambda frame, _: their_encoder.encode(frame), decode
    encoder, decoder = encoder_for("opus", AudioSettings()), decoder_for("opus")
    return lambda frame, _: encoder.encode(frame), lambda made: [decoder.decode(one) for one in made]


def vp8_codec(implementation: str, target_bps: float) -> Codec:
    """A new encoder and a new decoder."""
    if implementation == "aiortc":
        return _their_vp8(target_bps)
    encoder = encoder_for("vp8", VideoSettings(bitrate_bps=int(target_bps)))
    decoder = decoder_for("vp8")

    def encode(picture: av.VideoFrame, index: int) -> Any:
        return encoder.encode(VideoFrame(picture, time_s=index / pictures.FRAME_RATE))

    return encode, lambda frames: [decoder.decode(frame) for frame in frames]


def _their_vp8(target_bps: float) -> Codec:
    encoder, decoder = aiortc_vpx.Vp8Encoder(), aiortc_vpx.Vp8Decoder()
    encoder.target_bitrate = int(target_bps)

    def encode(picture: av.VideoFrame, index: int) -> Any:
        payloads, timestamp = encoder.encode(pictures.stamped(picture, index))
        return JitterFrame(b"".join(map(aiortc_vpx.vp8_depayload, payloads)), timestamp)

    return encode, lambda frame: decoder.decode(frame) if frame.data else None
