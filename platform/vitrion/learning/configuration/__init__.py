"""A campaign's configuration: the sections of its YAML file, validated."""

from vitrion.learning.configuration.campaign import CampaignConfiguration
from vitrion.learning.configuration.file import load_configuration

__all__ = ["CampaignConfiguration", "load_configuration"]
