"""Repositories: one for each document, adding and finding its records."""
