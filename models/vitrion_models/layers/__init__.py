"""Radial bases, message passing and pooling: the parts that surrogates and generators share.

Import the modules `radial`, `message` and `pooling` by name; they need torch and nothing else. There is no
normalisation over a batch anywhere: a prediction must not depend on what else is predicted beside it.
"""
