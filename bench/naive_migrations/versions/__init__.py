"""Revisions of the naive baseline."""
