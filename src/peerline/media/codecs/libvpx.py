"""libvpx called directly: an encoder of VP8 or VP9 whose bitrate and key frames can be commanded while it runs.

Structures and numbers are those of vpx_encoder.h, vpx_image.h and vp8cx.h; what is used of them has been the same from
libvpx 1.8 to 1.16. A release that is not in `_ABI` is not touched: then `Encoder` raises NotSupportedError.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_long, c_size_t, c_uint, c_ulong, c_void_p
from functools import cache
from typing import TYPE_CHECKING, Any

from peerline.errors import EncodingError, NotSupportedError
from peerline.media.codecs.libraries import c_library

if TYPE_CHECKING:
    import av

__all__ = ["Encoder", "require"]

# VPX_ENCODER_ABI_VERSION by release 1.x: the library refuses any other. 1.15.1 has another than 1.15.0.
_ABI = {8: (23,), 9: (23,), 10: (24,), 11: (25,), 12: (25,), 13: (30,), 14: (34,), 15: (36, 37), 16: (39,)}

# Controls (vp8cx.h).
CPU_USED, STATIC_THRESHOLD, TOKEN_PARTITIONS, MAX_INTRA, TILES, AQ_MODE, ROW_MT = 13, 17, 18, 26, 33, 36, 55

_CBR, _REALTIME, _FORCE_KEY, _IS_KEY, _I420 = 1, 1, 1, 1, 0x102


class _Context(ctypes.Structure):
    _fields_ = (("name", c_char_p), ("iface", c_void_p), ("err", c_int), ("detail", c_char_p), ("rest", c_void_p * 8))


class _Config(ctypes.Structure):
    _fields_ = (
        *((name, c_uint) for name in ("usage", "threads", "profile", "w", "h", "bit_depth", "input_bit_depth")),
        *((name, c_int) for name in ("timebase_num", "timebase_den")),
        *((name, c_uint) for name in ("error_resilient", "pass_", "lag_in_frames", "dropframe_thresh")),
        *((name, c_uint) for name in ("resize_allowed", "scaled_width", "scaled_height", "resize_up", "resize_down")),
        ("end_usage", c_uint),
        *((name, c_size_t) for name in ("stats", "stats_size", "mb_stats", "mb_stats_size")),
        *((name, c_uint) for name in ("target_bitrate", "min_quantizer", "max_quantizer")),
        *((name, c_uint) for name in ("undershoot_pct", "overshoot_pct", "buf_sz", "buf_initial_sz", "buf_optimal_sz")),
        *((name, c_uint) for name in ("vbr_bias", "vbr_minsection", "vbr_maxsection", "vbr_corpus")),
        *((name, c_uint) for name in ("kf_mode", "kf_min_dist", "kf_max_dist")),
        ("rest", c_uint * 256),
    )


class _Image(ctypes.Structure):
    _fields_ = (
        *((name, c_uint) for name in ("fmt", "cs", "range", "w", "h", "bit_depth", "d_w", "d_h", "r_w", "r_h")),
        *((name, c_uint) for name in ("x_chroma_shift", "y_chroma_shift")),
        ("planes", c_void_p * 4),
        ("stride", c_int * 4),
        ("bps", c_int),
        ("rest", c_void_p * 8),
    )


class _Packet(ctypes.Structure):
    _fields_ = (
        ("kind", c_int),
        ("buf", c_void_p),
        ("size", c_size_t),
        ("pts", c_int64),
        ("duration", c_ulong),
        ("flags", c_uint),
    )


class Encoder:
    """One open encoder. `interface` is "vpx_codec_vp8_cx" or "vpx_codec_vp9_cx", times are ticks of 1/90000 s.

    Raises NotSupportedError if this libvpx cannot be used, EncodingError if it refuses what is asked.
    """

    def __init__(
        self, interface: str, width: int, height: int, bitrate_bps: int, threads: int, controls: Mapping[int, int]
    ) -> None:
        self._lib, abi = _library()
        iface = getattr(self._lib, interface)()
        self._config = config = _Config()
        self._lib.vpx_codec_enc_config_default(iface, byref(config), 0)
        config.w, config.h, config.threads = width, height, threads
        config.timebase_num, config.timebase_den = 1, 90000
        config.error_resilient, config.lag_in_frames, config.kf_mode = 1, 0, 0
        config.end_usage, config.target_bitrate = _CBR, _kbps(bitrate_bps)
        config.min_quantizer, config.max_quantizer = 2, 56
        config.undershoot_pct, config.overshoot_pct, config.dropframe_thresh = 100, 15, 30
        config.buf_sz, config.buf_initial_sz, config.buf_optimal_sz = 1000, 500, 600
        self._context: _Context | None = _Context()
        error = self._lib.vpx_codec_enc_init_ver(byref(self._context), iface, byref(config), 0, abi)
        if error:
            self._context = None
            raise EncodingError(f"libvpx does not open an encoder of {width}x{height}: error {error}")
        for control, value in controls.items():
            self._check(self._lib.vpx_codec_control_(byref(self._context), control, c_int(value)))
        # What the header calls one picture; its planes are those of the frame, nothing is copied.
        self._image = _Image(fmt=_I420, w=width, h=height, bit_depth=8, d_w=width, d_h=height, bps=12)
        self._image.x_chroma_shift = self._image.y_chroma_shift = 1

    def set_bitrate(self, bitrate_bps: int) -> None:
        """From the next picture on."""
        self._config.target_bitrate = _kbps(bitrate_bps)
        self._check(self._lib.vpx_codec_enc_config_set(byref(self._open), byref(self._config)))

    def encode(self, picture: av.VideoFrame, ticks: int, duration: int, *, is_key: bool) -> list[tuple[bytes, bool]]:
        """A picture in yuv420p of the size opened for: frames, each with whether it is a key frame."""
        for index, plane in enumerate(picture.planes):
            self._image.planes[index] = plane.buffer_ptr
            self._image.stride[index] = plane.line_size
        flags = _FORCE_KEY if is_key else 0
        context, image = byref(self._open), byref(self._image)
        self._check(self._lib.vpx_codec_encode(context, image, ticks, duration, flags, _REALTIME))
        frames = []
        position = c_void_p()
        while packet := self._lib.vpx_codec_get_cx_data(context, byref(position)):
            if packet.contents.kind == 0:
                data = ctypes.string_at(packet.contents.buf, packet.contents.size)
                frames.append((data, bool(packet.contents.flags & _IS_KEY)))
        return frames

    def close(self) -> None:
        """Give its memory back."""
        if self._context is not None:
            self._lib.vpx_codec_destroy(byref(self._context))
            self._context = None

    def __del__(self) -> None:
        if getattr(self, "_context", None) is not None:
            self.close()

    @property
    def _open(self) -> _Context:
        assert self._context is not None
        return self._context

    def _check(self, error: int) -> None:
        if error:
            detail = self._open.detail or self._lib.vpx_codec_err_to_string(error)
            raise EncodingError(f"libvpx: {detail.decode(errors='replace')}")


def require() -> None:
    """Raises NotSupportedError if there is no libvpx here, or an unknown one."""
    _library()


def _kbps(bitrate_bps: int) -> int:
    return max(1, round(bitrate_bps / 1000))


@cache
def _library() -> tuple[Any, int]:
    lib = c_library("vpx")
    if lib is None or not hasattr(lib, "vpx_codec_vp8_cx") or not hasattr(lib, "vpx_codec_vp9_cx"):
        raise NotSupportedError("there is no libvpx that encodes VP8 and VP9")
    version = lib.vpx_codec_version()
    known = _ABI.get(version >> 8 & 0xFF, ()) if version >> 16 == 1 else ()
    _declare(lib)
    for abi in known:
        if _is_accepted(lib, abi):
            return lib, abi
    raise NotSupportedError(f"libvpx {version >> 16}.{version >> 8 & 0xFF} is unknown")


def _is_accepted(lib: Any, abi: int) -> bool:
    context, config, iface = _Context(), _Config(), lib.vpx_codec_vp8_cx()
    lib.vpx_codec_enc_config_default(iface, byref(config), 0)
    error = lib.vpx_codec_enc_init_ver(byref(context), iface, byref(config), 0, abi)
    if not error:
        lib.vpx_codec_destroy(byref(context))
    return not error


def _declare(lib: Any) -> None:
    lib.vpx_codec_vp8_cx.restype = lib.vpx_codec_vp9_cx.restype = c_void_p
    lib.vpx_codec_err_to_string.restype = c_char_p
    lib.vpx_codec_enc_config_default.argtypes = (c_void_p, c_void_p, c_uint)
    lib.vpx_codec_enc_init_ver.argtypes = (c_void_p, c_void_p, c_void_p, c_long, c_int)
    lib.vpx_codec_enc_config_set.argtypes = (c_void_p, c_void_p)
    lib.vpx_codec_control_.argtypes = (c_void_p, c_int)  # the third is variadic
    lib.vpx_codec_encode.argtypes = (c_void_p, c_void_p, c_int64, c_ulong, c_long, c_ulong)
    lib.vpx_codec_get_cx_data.argtypes = (c_void_p, c_void_p)
    lib.vpx_codec_get_cx_data.restype = POINTER(_Packet)
    lib.vpx_codec_destroy.argtypes = (c_void_p,)
