"""Programs that run in Node and here."""
