"""How much goes through a data channel: two peer connections of this machine, one sends as fast as the other takes.

python throughput.py --size 16384 --seconds 5
"""

import argparse
import asyncio
import time

from peerline import RTCDataChannelEvent, RTCPeerConnection


async def measure(size: int, seconds: float) -> tuple[int, float]:
    """Bytes that arrived, and in how many seconds."""
    arrived = 0

    def count(event: object) -> None:
        nonlocal arrived
        arrived += size

    def listen(event: RTCDataChannelEvent) -> None:
        event.channel.onmessage = count

    async with RTCPeerConnection() as sender, RTCPeerConnection() as receiver:
        sender.onicecandidate = lambda event: receiver.addIceCandidate(event.candidate)
        receiver.onicecandidate = lambda event: sender.addIceCandidate(event.candidate)
        receiver.ondatachannel = listen
        channel = sender.createDataChannel("meter")
        await sender.setLocalDescription()
        await receiver.setRemoteDescription(sender.localDescription)
        await receiver.setLocalDescription()
        await sender.setRemoteDescription(receiver.localDescription)
        await channel.opened()
        message, begin = bytes(size), time.perf_counter()
        while (took := time.perf_counter() - begin) < seconds:
            await channel.send_when_ready(message)
            await asyncio.sleep(0)
        return arrived, took


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure a data channel.")
    parser.add_argument("--size", type=int, default=16_384, help="bytes a message (16384)")
    parser.add_argument("--seconds", type=float, default=5, help="how long (5)")
    arguments = parser.parse_args()
    amount, took = asyncio.run(measure(arguments.size, arguments.seconds))
    print(f"{amount / took / 1e6:.1f} MB/s, {amount / arguments.size / took:,.0f} messages/s of {arguments.size} bytes")


if __name__ == "__main__":
    main()
