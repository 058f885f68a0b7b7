"""Long runs that prove what no short test can: replicas under fire, and ten minutes of everything at once."""
