"""Runners of flows: worker processes on this machine or a FireWorks launchpad; schedules of campaign steps."""
