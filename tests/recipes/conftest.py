"""The projects' own tests run in projects of their own, not in this run."""

collect_ignore_glob = ["*/*"]
