"""The only asynchronous code: it moves bytes between clients and the engine."""
