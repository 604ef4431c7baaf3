"""Where tracks end: files, loudspeakers, nothing. The extra `media` is needed to make one, not to import them."""

from peerline.media.sinks.file_sink import FileSink
from peerline.media.sinks.null_sink import NullSink
from peerline.media.sinks.playout import Playout
from peerline.media.sinks.speaker import Speaker

__all__ = ["FileSink", "NullSink", "Playout", "Speaker"]
