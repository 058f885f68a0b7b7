"""The official SDKs, each in an environment of its own, run against the mock."""
