"""Check of a potential's forces against those of a reference potential: agreement, and holes."""
