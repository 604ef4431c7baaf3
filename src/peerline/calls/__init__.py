"""Calls between two people: the state table, the call, and the switchboard that moves calls through it."""
