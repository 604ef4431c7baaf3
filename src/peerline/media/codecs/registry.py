"""Which codecs there are. Others join by `register`; whoever takes a name again replaces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from peerline.errors import NotSupportedError
from peerline.media.codecs.libraries import media_extra
from peerline.media.codecs.settings import AudioSettings, VideoSettings

if TYPE_CHECKING:
    from peerline.media.codecs.codec import AudioDecoder, AudioEncoder, VideoDecoder, VideoEncoder

__all__ = ["Codec", "codec_names", "codec_of", "decoder_for", "encoder_for", "register"]


@dataclass(frozen=True, slots=True)
class Codec:
    """`encoder` is called with AudioSettings or VideoSettings, `decoder` with nothing; either may be None."""

    name: str
    """As in SDP, in lower case."""
    kind: Literal["audio", "video"]
    clock_rate: int
    """Ticks a second of its RTP timestamps."""
    encoder: Callable[[Any], AudioEncoder | VideoEncoder] | None
    decoder: Callable[[], AudioDecoder | VideoDecoder] | None


def _in(module: str, name: str) -> Callable[..., Any]:
    """A class of ours; its module, and what that stands on, is loaded when the first one is made."""

    def make(*settings: Any) -> Any:
        with media_extra():
            found = import_module(f"peerline.media.codecs.{module}")
        return getattr(found, name)(*settings)

    return make


_CODECS: dict[str, Codec] = {}


def register(codec: Codec) -> None:
    """From now on it is made by `encoder_for` and `decoder_for`."""
    _CODECS[codec.name.lower()] = codec


register(Codec("opus", "audio", 48000, _in("opus", "OpusEncoder"), _in("opus", "OpusDecoder")))
register(Codec("g722", "audio", 8000, _in("g722", "G722Encoder"), _in("g722", "G722Decoder")))
register(Codec("pcmu", "audio", 8000, _in("g711", "MuLawEncoder"), _in("g711", "MuLawDecoder")))
register(Codec("pcma", "audio", 8000, _in("g711", "ALawEncoder"), _in("g711", "ALawDecoder")))
register(Codec("vp8", "video", 90000, _in("vpx", "vp8_encoder"), _in("video_decoder", "Vp8Decoder")))
register(Codec("vp9", "video", 90000, _in("vpx", "vp9_encoder"), _in("video_decoder", "Vp9Decoder")))
register(Codec("h264", "video", 90000, _in("h264", "H264Encoder"), _in("video_decoder", "H264Decoder")))
register(Codec("av1", "video", 90000, _in("av1", "Av1Encoder"), _in("video_decoder", "Av1Decoder")))


def codec_names(kind: Literal["audio", "video"] | None = None) -> tuple[str, ...]:
    """The names of all, or of one kind, in the order they were registered."""
    return tuple(name for name, codec in _CODECS.items() if kind in (None, codec.kind))


def codec_of(name: str) -> Codec:
    """The one of that name, in any case. Raises NotSupportedError if there is none."""
    codec = _CODECS.get(name.lower())
    if codec is None:
        raise NotSupportedError(f"no codec is called {name!r}", hint=f"there are {', '.join(_CODECS)}")
    return codec


def encoder_for(name: str, settings: AudioSettings | VideoSettings | None = None) -> Any:
    """A new AudioEncoder or VideoEncoder. Raises NotSupportedError if there is none, or its libraries are missing."""
    codec = codec_of(name)
    if codec.encoder is None:
        raise NotSupportedError(f"{codec.name} can only be decoded")
    usual = AudioSettings() if codec.kind == "audio" else VideoSettings()
    return codec.encoder(usual if settings is None else settings)


def decoder_for(name: str) -> Any:
    """A new AudioDecoder or VideoDecoder. Raises NotSupportedError if there is none, or its libraries are missing."""
    codec = codec_of(name)
    if codec.decoder is None:
        raise NotSupportedError(f"{codec.name} can only be encoded")
    return codec.decoder()
