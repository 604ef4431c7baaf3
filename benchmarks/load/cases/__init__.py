"""Connections with media under load, with either implementation: the cases of bench_media.py, a module each."""
