"""Active learning: campaigns, their cycles, acquisition and retraining."""
