"""How large pictures may be for the bitrate that there is: smaller ones that move beat large ones that stand still."""

from __future__ import annotations

__all__ = ["QualityScaler"]

_WINDOW_S = 0.5
# Below so many pictures a second they are made smaller, whatever else.
_GOOD_RATE = 15.0
_MOST_DOWN = 16.0
# A bitrate that leaves so many bits for each pixel has room for larger pictures.
_PLENTY = 0.1
_UP = 1.2
# After so many windows with room they are made larger; twice as many each time that this was wrong.
_PATIENCE = 3
_MOST_PATIENCE = 120
# What the first pictures may have, before anybody knows how hard they are to encode: (below this bitrate, pixels).
_FIRST_PIXELS = ((250_000, 320 * 240), (600_000, 640 * 480))


class QualityScaler:
    """`scale_down_by` is for both sides of a picture. Times are those of the frames, in seconds."""

    def __init__(self) -> None:
        self.scale_down_by = 1.0
        self.changes = 0
        self._began_s: float | None = None
        self._seen = 0
        self._made = 0
        self._bytes = 0
        self._easy = 0
        self._patience = _PATIENCE
        self._since_up = _MOST_PATIENCE
        self._pixels = 0

    def begin(self, pixels: int, bitrate_bps: int) -> None:
        """The first picture, or one of another size."""
        most = next((most for below, most in _FIRST_PIXELS if bitrate_bps < below), pixels)
        self.scale_down_by = max(1.0, (pixels / most) ** 0.5)
        self._pixels = pixels
        self._began_s = None

    def saw(self, time_s: float, encoded_bytes: int | None, bitrate_bps: int) -> None:
        """A picture was given to the encoder; what it made of it, None: it left it out."""
        if self._began_s is None or not 0 <= time_s - self._began_s < 10:
            self._began_s, self._seen, self._made, self._bytes = time_s, 0, 0, 0
        self._seen += 1
        if encoded_bytes is not None:
            self._made += 1
            self._bytes += encoded_bytes
        lasted_s = time_s - self._began_s
        if lasted_s >= _WINDOW_S and self._seen > 2:
            self._judge(lasted_s, bitrate_bps)
            self._began_s, self._seen, self._made, self._bytes = time_s, 0, 0, 0

    def _judge(self, lasted_s: float, bitrate_bps: int) -> None:
        wanted_rate = min(self._seen / lasted_s, _GOOD_RATE)
        size = self._bytes / self._made if self._made else bitrate_bps / 8
        needed = size * 8 * wanted_rate / bitrate_bps
        pixel_rate = self._pixels / self.scale_down_by**2 * self._seen / lasted_s
        self._since_up += 1
        is_slow = self._made / lasted_s < 0.7 * wanted_rate
        if needed > 1.3 or is_slow:
            self._easy = 0
            if self._since_up < 2 * _PATIENCE:
                self._patience = min(2 * self._patience, _MOST_PATIENCE)
            self._set(self.scale_down_by * min(max(needed, 1.2) ** 0.5, 2.5))
        elif self.scale_down_by > 1.0 and (needed < 0.4 or bitrate_bps / pixel_rate > _PLENTY):
            self._easy += 1
            if self._easy >= self._patience:
                self._easy, self._since_up = 0, 0
                self._set(self.scale_down_by / _UP)
        else:
            self._easy = 0

    def _set(self, scale_down_by: float) -> None:
        new = min(max(scale_down_by, 1.0), _MOST_DOWN)
        new = 1.0 if new < 1.1 else new
        if new != self.scale_down_by:
            self.scale_down_by = new
            self.changes += 1
