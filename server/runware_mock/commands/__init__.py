"""The commands that talk to a running server, and `exec`, which starts one."""
