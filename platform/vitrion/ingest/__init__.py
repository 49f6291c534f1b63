"""Files, data sets and job outputs become documents; the builder is the only way from a job to a document."""
