"""The command as users run it: real processes, real files."""
