"""The Arrhenius surrogates: a Gaussian-process head on descriptors, corrected by crystal networks; see README.md."""
