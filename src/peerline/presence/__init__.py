"""Who is there, and how they show themselves."""
