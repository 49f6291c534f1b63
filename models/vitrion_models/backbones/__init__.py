"""Backbones: material -> embedding. Descriptors need no training; the crystal network (torch) is trained."""

from vitrion_models.backbones.descriptors import DESCRIPTOR_NAMES, DescriptorBackbone, descriptors

__all__ = ["DESCRIPTOR_NAMES", "DescriptorBackbone", "descriptors"]
