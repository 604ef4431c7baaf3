"""The same picture in another size or format."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

__all__ = ["reformatted"]

# Pictures are shared, and a frame's own converter hangs for good, or worse, where two threads use it at once.
_here = threading.local()


def reformatted(picture: av.VideoFrame, **wanted: Any) -> av.VideoFrame:
    """`wanted`: `width`, `height`, `format`, `interpolation`, as VideoReformatter has them. Itself if nothing changes.

    The picture may be in other hands meanwhile, on other threads.
    """
    converter = getattr(_here, "converter", None)
    if converter is None:
        from av.video.reformatter import VideoReformatter

        converter = _here.converter = VideoReformatter()
    made: av.VideoFrame = converter.reformat(picture, **wanted)
    return made
