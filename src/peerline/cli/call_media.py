"""What a call from a terminal sends and plays: cameras, microphones, files, a test pattern; a loudspeaker."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from peerline.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from peerline.media import MediaStream
    from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["CallMedia", "add_media_options", "open_media"]


def add_media_options(p: argparse.ArgumentParser) -> None:
    """The flags."""
    group = p.add_argument_group("sound and pictures (with the extra: pip install 'peerline[media]')")
    any_device: dict[str, Any] = {"nargs": "?", "const": "", "default": None, "metavar": "DEVICE"}
    group.add_argument("--camera", **any_device, help="send a camera; DEVICE is a part of its name, or its id")
    group.add_argument("--microphone", **any_device, help="send a microphone")
    group.add_argument("--file", metavar="FILE_OR_URL", help="send what this file or stream has, in its own time")
    group.add_argument("--test-pattern", action="store_true", help="send a moving picture and a tone")
    group.add_argument("--speaker", action="store_true", help="play what the other side says")


class CallMedia:
    """The tracks of a call, and what is done with those that come. `close` gives devices back."""

    def __init__(self, streams: list[MediaStream], *, has_speaker: bool) -> None:
        self._streams = streams
        self._speaker: Any = None
        if has_speaker:
            from peerline.media.sinks import Speaker

            self._speaker = Speaker()
            self._speaker.start()

    @property
    def kinds(self) -> list[str]:
        """What is sent, in the letters of the protocol."""
        kinds = {track.kind for stream in self._streams for track in stream.getTracks()}
        return [letter for letter, kind in (("a", "audio"), ("v", "video")) if kind in kinds]

    @property
    def on_connection(self) -> Callable[[RTCPeerConnection], None] | None:
        """For `me.call` and `call.on_connection`; None if there is neither anything to send nor to play."""
        return self._prepare if self._streams or self._speaker is not None else None

    def close(self) -> None:
        """The call is over."""
        for stream in self._streams:
            for track in stream.getTracks():
                track.stop()
        if self._speaker is not None:
            self._speaker.stop()

    def _prepare(self, pc: RTCPeerConnection) -> None:
        for stream in self._streams:
            for track in stream.getTracks():
                pc.addTrack(track, stream)
        if self._speaker is not None:
            pc.ontrack = self._play

    def _play(self, event: Any) -> None:
        if event.track.kind == "audio":
            self._speaker.add_track(event.track)


async def open_media(arguments: argparse.Namespace) -> CallMedia:
    """What the flags ask for. Raises ConfigError, and what devices and files say: NotFoundError, NotSupportedError …"""
    from peerline.media import MediaStream, MediaStreamTrack

    streams: list[MediaStream] = []
    if arguments.test_pattern:
        from peerline.media.sources import TestPattern, Tone

        tracks = [MediaStreamTrack("audio", source=Tone()), MediaStreamTrack("video", source=TestPattern())]
        streams.append(MediaStream(tracks))
    if arguments.file is not None:
        from peerline.media.sources import MediaFile

        file = MediaFile(arguments.file)
        found = [track for track in (file.audio, file.video) if track is not None]
        if not found:
            raise ConfigError(f"{arguments.file} has neither sound nor pictures")
        streams.append(MediaStream(found))
    wanted = await _wanted_devices(arguments)
    if wanted:
        from peerline.media import mediaDevices

        streams.append(await mediaDevices.getUserMedia(wanted))
    return CallMedia(streams, has_speaker=arguments.speaker)


async def _wanted_devices(arguments: argparse.Namespace) -> dict[str, Any]:
    """Constraints of getUserMedia."""
    from peerline.media import mediaDevices

    wanted: dict[str, Any] = {}
    for kind, device_kind, name in (
        ("video", "videoinput", arguments.camera),
        ("audio", "audioinput", arguments.microphone),
    ):
        if name is None:
            continue
        devices = [one for one in await mediaDevices.enumerateDevices() if one.kind == device_kind]
        fitting = [one for one in devices if name.lower() in one.label.lower() or name == one.deviceId]
        if not fitting:
            what = "camera" if kind == "video" else "microphone"
            called = f" called {name!r}" if name else ""
            there = ", ".join(one.label for one in devices) or "none"
            raise NotFoundError(f"there is no {what}{called}", hint=f"There are: {there}.")
        wanted[kind] = {"deviceId": {"exact": fitting[0].deviceId}}
    return wanted
