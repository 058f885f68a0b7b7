"""Fault plans: each kind, what it does to a client, and the proof that it was met."""
