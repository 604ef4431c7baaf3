"""Sound and pictures for programs: arrays in and out of a connection, with a known rate and little delay.

peer = Peer(pc)
async for samples in peer.audio.receive(rate=16000):
    ...
"""

from peerline.peer.audio import AudioPort
from peerline.peer.audio_output import AudioOutput
from peerline.peer.backlog import DropOldest, Latest
from peerline.peer.peer import Peer
from peerline.peer.video import VideoOutput, VideoPort

__all__ = ["AudioOutput", "AudioPort", "DropOldest", "Latest", "Peer", "VideoOutput", "VideoPort"]
