"""The version of the package: in a file of its own, so that every module may import it without a cycle."""

__version__ = "0.1.0"
