"""Stand-ins for what the real service makes on a GPU: pure functions, whose results depend on the parameters alone."""
