"""The Arrhenius surrogates: a Gaussian-process head on descriptors, corrected by crystal graph networks.

`config` hyper-parameters, `head` the process, `network` the graph network, `fitting` its training, `trainer` the whole,
`model` the answers, `persistence` the artefact. docs/design/surrogate.md says why.
"""
