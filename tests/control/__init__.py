"""The control API under `/_mock/`, its client and its commands."""
