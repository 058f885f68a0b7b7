"""The pytest plugin, in projects of their own; and a server in the tests' own process."""
