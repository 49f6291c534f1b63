"""MACE: the user's file of weights, evaluated by our own network.

`force_field` loads a file, `folding` chooses between our `network` and mace-torch's code (`reference_network`). The
network consists of `radial` tables, `harmonics`, and one `layer` after another: `convolution`, then symmetric
`contraction`.
"""
