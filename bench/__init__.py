"""Benchmarks: the mock against naive and other peers, paired in one run."""
