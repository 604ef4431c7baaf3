"""Faults: what a server must survive, against the real process."""
