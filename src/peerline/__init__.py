"""Peerline: WebRTC for people who use Python."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("peerline")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
