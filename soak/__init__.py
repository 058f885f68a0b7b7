"""Long runs that prove what no short test can: one server under load, and replicas that are killed."""
