"""XYZ files: extended, plain and with the comment lines of other programs."""
