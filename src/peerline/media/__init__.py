"""Streams, tracks and devices as the W3C has them (Media Capture and Streams)."""

from peerline.media.audio_frame import AudioFrame
from peerline.media.choices import CameraMode
from peerline.media.constraints import MediaStreamConstraints, MediaTrackConstraints
from peerline.media.device import InputDevice
from peerline.media.device_info import DeviceChangeEvent, InputDeviceInfo, MediaDeviceInfo
from peerline.media.devices import MediaDevices, mediaDevices
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.encoded_track import EncodedTrack
from peerline.media.overconstrained import OverconstrainedError
from peerline.media.reader import FrameReader
from peerline.media.remote_track import RemoteTrack
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings, MediaTrackSupportedConstraints
from peerline.media.sink import Frame, Sink
from peerline.media.source import Source
from peerline.media.stream import MediaStream
from peerline.media.track import MediaStreamTrack
from peerline.media.track_event import MediaStreamTrackEvent
from peerline.media.video_frame import VideoFrame

__all__ = [
    "AudioFrame",
    "CameraMode",
    "DeviceChangeEvent",
    "EncodedFrame",
    "EncodedTrack",
    "Frame",
    "FrameReader",
    "InputDevice",
    "InputDeviceInfo",
    "MediaDeviceInfo",
    "MediaDevices",
    "MediaStream",
    "MediaStreamConstraints",
    "MediaStreamTrack",
    "MediaStreamTrackEvent",
    "MediaTrackCapabilities",
    "MediaTrackConstraints",
    "MediaTrackSettings",
    "MediaTrackSupportedConstraints",
    "OverconstrainedError",
    "RemoteTrack",
    "Sink",
    "Source",
    "VideoFrame",
    "mediaDevices",
]
