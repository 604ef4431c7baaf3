"""What takes minutes: calls as long as real ones. `make test-slow` runs it."""
