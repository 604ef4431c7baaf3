"""Names of the link: `LABEL.local`, letters of either case the same (RFC 6762, sections 3 and 16)."""

from __future__ import annotations

_MAX_LABEL_BYTES = 63
_MAX_NAME_BYTES = 255


def is_mdns_name(name: str) -> bool:
    """Whether `name` is one that is asked for on the link."""
    try:
        labels_of(name)
    except ValueError:
        return False
    return True


def labels_of(name: str) -> tuple[bytes, ...]:
    """Of a name that ends in .local. Raises ValueError."""
    labels = tuple(label.encode() for label in name.removesuffix(".").split("."))
    if len(labels) < 2 or labels[-1].lower() != b"local":
        raise ValueError("a name of multicast DNS ends in .local")
    if not all(0 < len(label) <= _MAX_LABEL_BYTES for label in labels):
        raise ValueError(f"each part of a name has 1 to {_MAX_LABEL_BYTES} bytes")
    if sum(len(label) + 1 for label in labels) + 1 > _MAX_NAME_BYTES:
        raise ValueError(f"a name has no more than {_MAX_NAME_BYTES} bytes")
    return labels


def canonical(labels: tuple[bytes, ...]) -> bytes:
    """What two spellings of one name have in common; ASCII letters alone have a case."""
    return b".".join(label.lower() for label in labels)
