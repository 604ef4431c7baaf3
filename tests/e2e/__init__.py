"""Two people call each other in a real Chromium: everything a person can see and do, and media proven by getStats."""
