"""The `helios` command, one module a group of commands."""
