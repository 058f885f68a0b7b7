"""The tasks that use what was uploaded, over both transports."""
