"""The page: what applications have sent, live, for a person to look at."""
