"""Where flows run: worker processes on this machine, or a FireWorks launchpad. Schedules call the campaign's step."""
