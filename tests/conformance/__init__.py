"""The Web Platform Tests on Peerline: `make conformance`."""
