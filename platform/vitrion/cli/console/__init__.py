"""Shared parts of the commands: options, output, progress, one-line errors."""
