"""File transfers of a call, one data channel per file (docs/protocol.md, section 13)."""

from __future__ import annotations

from pathlib import Path

from peerline.client.change import Stream
from peerline.client.errors import TransferError
from peerline.client.file_receiving import IncomingFile, Progress
from peerline.client.file_sending import Sending
from peerline.webrtc.data_channel import RTCDataChannel
from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["FILE_LABEL", "Files"]

FILE_LABEL = "file"
FILE_PROTOCOL = "peerline.file.v1"
# More at once than this nobody is offered.
_MAX_INCOMING = 16


class Files:
    """Of one call."""

    def __init__(self) -> None:
        self.incoming: Stream[IncomingFile] = Stream(_MAX_INCOMING, dropped=lambda file: file.decline())
        self._receiving: set[IncomingFile] = set()
        self._sending: set[Sending] = set()

    async def send(
        self, pc: RTCPeerConnection | None, path: Path, name: str | None, on_progress: Progress | None
    ) -> int:
        """Its size. Raises TransferError; OSError if the file cannot be read."""
        with path.open("rb") as file:  # blocks are read in a thread
            if pc is None or pc.connectionState == "closed":
                raise TransferError("there is no connection to send a file over")
            channel = pc.createDataChannel(FILE_LABEL, protocol=FILE_PROTOCOL)
            sending = Sending(channel, file, name or path.name)
            self._sending.add(sending)
            try:
                return await sending.run(on_progress)
            finally:
                self._sending.discard(sending)

    def accept(self, channel: RTCDataChannel) -> None:
        """The other side opened a channel for a file."""
        self._receiving = {file for file in self._receiving if not file.is_over}
        if channel.protocol != FILE_PROTOCOL or len(self._receiving) >= _MAX_INCOMING:
            channel.close()
        else:
            self._receiving.add(IncomingFile(channel, self.incoming.put))

    def end(self, why: str) -> None:
        """The call is over."""
        self.incoming.end()
        for file in self._receiving:
            file.fail()
        for sending in self._sending:
            sending.stop(TransferError(f"the call was over before the file was through: {why}"))
