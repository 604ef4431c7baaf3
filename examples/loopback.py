"""Two peer connections in one program: one says hello, the other answers. No server, no network."""

import asyncio

from peerline import RTCPeerConnection


async def main() -> str:
    """What the answer was."""
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with RTCPeerConnection() as ann, RTCPeerConnection() as bob:
        ann.onicecandidate = lambda event: bob.addIceCandidate(event.candidate)
        bob.onicecandidate = lambda event: ann.addIceCandidate(event.candidate)
        bob.ondatachannel = lambda event: event.channel.send("Hello Ann!")
        ann.createDataChannel("hello").onmessage = lambda event: heard.set_result(event.data)
        await ann.setLocalDescription()
        await bob.setRemoteDescription(ann.localDescription)
        await bob.setLocalDescription()
        await ann.setRemoteDescription(bob.localDescription)
        return await heard


if __name__ == "__main__":
    print(asyncio.run(main()))
