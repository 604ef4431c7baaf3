"""A real `peerline turn` against those who mean it harm, and with the clients of others."""
