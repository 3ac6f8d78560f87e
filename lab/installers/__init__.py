"""The installers that a kernel's arguments can start."""

from lab.installers.load import load
from lab.installers.plan import InstallError, InstallPlan
from lab.installers.run import finished_system, run

__all__ = ["InstallError", "InstallPlan", "finished_system", "load", "run"]
