"""The doctor: finds out from a client's side what works on the way to a server, and says the line that fixes the rest.

Start with docs/flows/doctor.md. The browser's half of it is the page /doctor.
"""
