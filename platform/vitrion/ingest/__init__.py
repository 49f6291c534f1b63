"""Structure files, label files, public data sets and outputs of jobs become documents."""
