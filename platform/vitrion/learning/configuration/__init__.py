"""A campaign's configuration: the sections of its YAML file, validated."""

from vitrion.learning.configuration.campaign import CampaignConfiguration, load_configuration

__all__ = ["CampaignConfiguration", "load_configuration"]
