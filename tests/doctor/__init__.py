"""The doctor, against good servers and against bad ones."""
