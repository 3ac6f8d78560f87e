"""PVE's background tasks, by their UPID."""

from app.drivers.errors import DriverError, Refused
from app.drivers.hypervisor.proxmox.api import Api, refusal

LOG_LINES = 50


def node_of(upid: str) -> str:
    """Return the node that runs a task: `UPID:NODE:PID:PSTART:START:TYPE:ID:USER:`."""
    return upid.split(":", 2)[1]


async def is_over(api: Api, upid: str) -> bool:
    """Return whether the task has ended well; False while it runs.

    One that ended with warnings did what it was asked. Raises what its words amount to when it
    failed, with the end of its log.
    """
    task = f"nodes/{node_of(upid)}/tasks/{upid}"
    status = await api.get(f"{task}/status")
    if status["status"] == "running":
        api.pace.running(upid)
        return False
    said = str(status.get("exitstatus", ""))
    if said == "OK" or said.startswith("WARNINGS"):
        api.pace.over(api.base_url, upid)
        return True
    api.pace.forget(upid)
    raise await _why(api, task, said)


async def _why(api: Api, task: str, said: str) -> DriverError:
    """Return the failure in the task's own words: the reason stands in its log."""
    lines = await api.get(f"{task}/log", limit=LOG_LINES)
    told = [str(line.get("t", "")) for line in lines]
    errors = [line.removeprefix("TASK ERROR: ") for line in told if line.startswith("TASK ERROR")]
    words = next(reversed(errors), "") or said
    found = refusal(api.name, words)
    if isinstance(found, Refused) and said and said not in words:
        return refusal(api.name, f"{words} ({said})")
    return found
