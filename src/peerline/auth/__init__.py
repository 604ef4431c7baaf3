"""Who may be whom: names, the keys that own them, tokens."""
