"""Inputs nobody thought of: drawn at random, the suite takes seconds of them, `--hypothesis-profile thorough` more."""
