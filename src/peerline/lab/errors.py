"""What the lab raises."""

from __future__ import annotations

from peerline.errors import PeerlineError


class LabError(PeerlineError):
    """The lab cannot do what was asked for."""

    code = "lab"
