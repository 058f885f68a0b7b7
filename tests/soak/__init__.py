"""The long runs, in seconds, so that they do not rot."""
