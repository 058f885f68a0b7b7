"""Pictures: from the string of a task to the bytes that are stored."""
