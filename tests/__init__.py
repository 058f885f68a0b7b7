"""The test suite; `tests.running` starts servers, `tests.talking` speaks to them over either transport."""
