"""The resilience matrix: a test or a program runs again with each kind of fault, wherever one could happen."""
