"""The wire: message shapes and errors, no input or output."""
