"""The signaling protocol `peerline/1` (docs/protocol.md): messages, delivery, sessions. No sockets, no clock."""
