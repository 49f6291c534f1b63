"""Heads: embedding -> target.

`arrhenius` is the Gaussian-process head of log10 D, `gaussian_process` its kernel, `correction` a linear torch head.
"""
