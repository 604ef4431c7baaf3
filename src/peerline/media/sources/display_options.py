"""What getDisplayMedia is asked for (Screen Capture, section 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from peerline.media.constraints import MediaTrackConstraints, either
from peerline.webidl import Dictionary, Member, boolean

__all__ = ["DisplayMediaStreamOptions"]


class DisplayMediaStreamOptions(Dictionary):
    """`video`: True, unless constraints are given; `audio`: whether sound is welcome, too."""

    video = Member(either(boolean, MediaTrackConstraints), default=lambda: True)
    audio = Member(either(boolean, MediaTrackConstraints), default=lambda: False)

    def check(self) -> None:
        """Raises TypeError for what may not be asked: the user chooses what is shown, constraints only scale it."""
        if self["video"] is False:
            raise TypeError("getDisplayMedia always gives video: leave it out, or say True or constraints")
        for kind in ("video", "audio"):
            wanted = self[kind]
            if not isinstance(wanted, Mapping):
                continue
            if "advanced" in wanted:
                raise TypeError(f"getDisplayMedia takes no advanced constraints for {kind}")
            for name, wish in wanted.items():
                for key in ("min", "exact"):
                    if isinstance(wish, Mapping) and key in wish:
                        raise TypeError(f"getDisplayMedia takes no {key} of {name}: use ideal or max")
