"""Arrays in, arrays out: graphs, surrogates, generators and their uncertainty. No database, no workflow engine.

Importing this package imports neither torch nor anything heavy; its sub-packages do where they need it.
"""
