"""Peer connections of three makes against each other: ours, Chromium's, aiortc's."""
