"""Fault plans: what is to go wrong, for which tasks or connections, how often, and proof that it did."""
