"""The `skillet` command: launch files and the demonstration."""
