"""A small STUN and TURN client that can be read from end to end (RFC 8489, RFC 8656, RFC 5780).

It is the doctor's own and says every step in Python. Packets of calls never come here: `peerline.engine` has them.
"""
