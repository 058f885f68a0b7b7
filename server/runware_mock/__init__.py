"""A local stand-in for the Runware upload API."""

__version__ = "0.1.0"
