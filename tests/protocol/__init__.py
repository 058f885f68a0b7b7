"""The wire protocol, over both transports."""
