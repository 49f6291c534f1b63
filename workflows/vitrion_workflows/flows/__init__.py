"""Makers that join packing, dynamics and analysis: what a launchpad runs."""
