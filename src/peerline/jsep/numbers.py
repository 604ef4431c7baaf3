"""The numbers that all descriptions of a session have used: payload types and ids of header extensions."""

from __future__ import annotations

from peerline.jsep.codecs import rows_for
from peerline.jsep.header_extensions import offer_extensions
from peerline.jsep.payload_types import assign_payload_types
from peerline.jsep.record import Record
from peerline.jsep.transceiver import Transceiver
from peerline.sdp import Codec, HeaderExtension

__all__ = ["Numbers"]


class Numbers:
    """Collected once for an offer, and added to with each of its sections."""

    def __init__(self, record: Record) -> None:
        self._codecs: dict[int, Codec] = {}
        self._uris: dict[int, str] = {}
        self._of_section: dict[int, tuple[list[Codec], list[HeaderExtension]]] = {}
        for applied in record.applied:
            for index, media in enumerate(applied.sections):
                if not media.is_rtp or media.is_rejected:
                    continue
                codecs, extensions = self._of_section.setdefault(index, ([], []))
                codecs += media.codecs
                extensions += media.header_extensions
        for codecs, extensions in self._of_section.values():
            self._saw(codecs, extensions)

    def codecs(self, transceiver: Transceiver, index: int | None) -> list[Codec]:
        """What the section offers; `index` is None for a new one."""
        known = self._of_section[index][0] if index in self._of_section else []
        made = assign_payload_types(rows_for(transceiver.kind, transceiver.preferred_codecs), known, self._codecs)
        self._saw(made, [])
        return made

    def extensions(self, transceiver: Transceiver, index: int | None) -> list[HeaderExtension]:
        """The same for header extensions."""
        known = self._of_section[index][1] if index in self._of_section else []
        made = offer_extensions(transceiver, known, self._uris)
        self._saw([], made)
        return made

    def _saw(self, codecs: list[Codec], extensions: list[HeaderExtension]) -> None:
        for codec in codecs:
            self._codecs.setdefault(codec.payload_type, codec)
        for extension in extensions:
            self._uris.setdefault(extension.id, extension.uri)
