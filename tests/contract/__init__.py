"""One suite for every door to the signaling server and every store behind it."""
