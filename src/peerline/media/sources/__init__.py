"""Where tracks can get their frames from: test patterns, functions, files, cameras, microphones, the screen."""

from peerline.media.sources.camera import Camera
from peerline.media.sources.generated import GeneratedAudio, GeneratedVideo
from peerline.media.sources.media_file import MediaFile
from peerline.media.sources.microphone import Microphone
from peerline.media.sources.paced import PacedSource
from peerline.media.sources.screen import Screen
from peerline.media.sources.test_camera import TestCamera
from peerline.media.sources.test_microphone import TestMicrophone
from peerline.media.sources.test_pattern import TestPattern
from peerline.media.sources.tone import Tone

__all__ = [
    "Camera",
    "GeneratedAudio",
    "GeneratedVideo",
    "MediaFile",
    "Microphone",
    "PacedSource",
    "Screen",
    "TestCamera",
    "TestMicrophone",
    "TestPattern",
    "Tone",
]
