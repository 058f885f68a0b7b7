"""The commands that speak to a running server through its control API."""
