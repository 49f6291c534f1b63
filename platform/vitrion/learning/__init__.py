"""The active-learning loop: configuration, proposals, labels, retraining, promotion, all kept in documents."""
