"""Writes web/sdk/src/protocol.ts from the message types: `python -m peerline.signaling.typescript`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import inspect as mi

from peerline.signaling import messages as m

HEADER = """\
// Generated from src/peerline/signaling/messages.py by `make protocol`. Do not edit.
// The protocol in prose: docs/protocol.md.
"""


def _type(node: mi.Type) -> str:
    if isinstance(node, mi.Metadata):
        return _type(node.type)
    if isinstance(node, mi.UnionType):
        parts = [_type(t) for t in node.types if not isinstance(t, mi.NoneType)]
        if node.includes_none:
            parts.append("null")
        return " | ".join(parts)
    if isinstance(node, mi.LiteralType):
        return " | ".join(f'"{v}"' for v in node.values)
    if isinstance(node, mi.StructType):
        return node.cls.__name__
    if isinstance(node, mi.ListType):
        inner = _type(node.item_type)
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if isinstance(node, mi.DictType):
        return f"Record<{_type(node.key_type)}, {_type(node.value_type)}>"
    if isinstance(node, mi.StrType):
        return "string"
    if isinstance(node, mi.IntType | mi.FloatType):
        return "number"
    if isinstance(node, mi.BoolType):
        return "boolean"
    if isinstance(node, mi.RawType | mi.AnyType):
        return "unknown"
    raise TypeError(f"no TypeScript for {node!r}")


def _comment(cls: type) -> str:
    return f"/** {' '.join((inspect.getdoc(cls) or '').split())} */"


def _interface(cls: Any) -> str:
    info = mi.type_info(cls)
    assert isinstance(info, mi.StructType)
    omits = cls.__struct_config__.omit_defaults
    lines = [_comment(cls), f"export interface {cls.__name__} {{"]
    for field in info.fields:
        kind = field.type
        # A client may leave out what has a default; the server leaves out defaults only where it says so.
        optional = not field.required and (omits or cls in m.CLIENT_BODIES.values() or cls is m.KnownCall)
        if optional and isinstance(kind, mi.UnionType):
            kind = mi.UnionType(tuple(t for t in kind.types if not isinstance(t, mi.NoneType)))
        lines.append(f"  {field.encode_name}{'?' if optional else ''}: {_type(kind)};")
    lines.append("}")
    return "\n".join(lines)


def _table(name: str, doc: str, bodies: dict[str, Any]) -> str:
    rows = "\n".join(f"  {t}: {cls.__name__};" for t, cls in bodies.items())
    return f"/** {doc} */\nexport interface {name} {{\n{rows}\n}}"


def generate() -> str:
    """The whole file as text."""
    structs = [
        cls
        for _, cls in inspect.getmembers(m, inspect.isclass)
        if cls.__module__ == m.__name__ and issubclass(cls, msgspec.Struct) and cls is not m.Envelope
    ]
    structs.sort(key=lambda cls: inspect.getsourcelines(cls)[1])
    consts = (
        f"export const PROTOCOL_VERSION = {m.PROTOCOL_VERSION};\n"
        f'export const SUBPROTOCOL = "{m.SUBPROTOCOL}";\n'
        f"export const MAX_FRAME_BYTES = {m.MAX_FRAME_BYTES};\n"
        f"export const MAX_BATCH = {m.MAX_BATCH};"
    )
    presence = " | ".join(f'"{v}"' for v in get_args(m.ShownPresence))
    reasons = " | ".join(f'"{v}"' for v in get_args(m.EndReason))
    aliases = (
        f'export type Medium = "a" | "v";\nexport type ShownPresence = {presence};\nexport type EndReason = {reasons};'
    )
    tables = [
        _table("ClientBodies", "What a client sends, by type.", m.CLIENT_BODIES),
        _table("ServerBodies", "What the server sends of itself, by type.", m.SERVER_BODIES),
        _table("PartyBodies", "What the two parties of a call send each other, by type.", m.PARTY_BODIES),
        _table("Answers", "The body of `ok`, by the type of the request.", m.ANSWERS),
    ]
    return "\n\n".join([HEADER + "\n" + consts, aliases, *map(_interface, structs), *tables]) + "\n"


def main() -> None:
    """Write the file, or with `--check` say (exit code 1) whether it is out of date."""
    target = Path(__file__).parents[3] / "web" / "sdk" / "src" / "protocol.ts"
    text = generate()
    if "--check" in sys.argv:
        if not target.exists() or target.read_text() != text:
            sys.exit(f"{target} is out of date: run `make protocol`")
        return
    target.write_text(text)


if __name__ == "__main__":
    main()
