"""Codecs, as a plug point: `encoder_for("vp8")`, `decoder_for("opus")`. They need the extra `media`."""

from peerline.media.codecs.codec import AudioDecoder, AudioEncoder, VideoDecoder, VideoEncoder
from peerline.media.codecs.registry import Codec, codec_names, codec_of, decoder_for, encoder_for, register
from peerline.media.codecs.settings import AudioSettings, VideoSettings

__all__ = [
    "AudioDecoder",
    "AudioEncoder",
    "AudioSettings",
    "Codec",
    "VideoDecoder",
    "VideoEncoder",
    "VideoSettings",
    "codec_names",
    "codec_of",
    "decoder_for",
    "encoder_for",
    "register",
]
