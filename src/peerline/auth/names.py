"""Names people register under (docs/protocol.md, section 1): Unicode, with one canonical form each."""

from __future__ import annotations

import unicodedata

from peerline.errors import RemoteProtocolError

MAX_NAME_CHARACTERS = 64
MAX_CANONICAL_CHARACTERS = 254


def parse_name(text: str) -> tuple[str, str]:
    """The canonical form `u` and the tidy form `n` of a name as typed.

    Raises RemoteProtocolError if it is empty, too long, or has characters that a name cannot have.
    """
    n = " ".join(unicodedata.normalize("NFC", text).split())
    if not n:
        raise RemoteProtocolError("the name is empty", hint="Type a name.")
    if len(n) > MAX_NAME_CHARACTERS:
        raise RemoteProtocolError(
            f"the name is longer than {MAX_NAME_CHARACTERS} characters", hint="Choose a shorter name."
        )
    # Cc, Cf, Cs, Co, Cn: control, invisible, surrogate, private, unassigned: they make two names look alike.
    if "/" in n or has_invisible(n):
        raise RemoteProtocolError(
            "the name has a character that names cannot have",
            hint="Use letters, digits, spaces and punctuation, no /.",
        )
    u = " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", n).casefold()).split())
    # One sign can stand for a whole phrase: what is short as typed may be long in its canonical form.
    if not u or "/" in u or len(u) > MAX_CANONICAL_CHARACTERS:
        raise RemoteProtocolError("the name has no canonical form", hint="Choose another name.")
    return u, n


def has_invisible(text: str) -> bool:
    """Whether it has characters that no name has: Cc, Cf, Cs, Co, Cn."""
    return any(unicodedata.category(c)[0] == "C" for c in text)
