"""Moved to `peerline.webidl`."""

from peerline.webidl import Dictionary, Member

__all__ = ["Dictionary", "Member"]
