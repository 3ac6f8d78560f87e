"""The installers that a kernel's arguments can start."""

from lab.installers.live import LiveRun, run_live
from lab.installers.load import load, script_url
from lab.installers.plan import InstallError, InstallPlan
from lab.installers.run import finished_system, run

__all__ = [
    "InstallError",
    "InstallPlan",
    "LiveRun",
    "finished_system",
    "load",
    "run",
    "run_live",
    "script_url",
]
