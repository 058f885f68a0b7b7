"""Examples that read like documentation. Each is a test as a user would write it, with the fixtures of the plugin."""
