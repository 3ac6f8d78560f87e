"""The ways through the shipped flows on which workers are killed, as bad luck and people have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.flows.gallery import list_templates

AS_PROXMOX = ("vps-solusvm1", "vps-solusvm2", "vps-virtualizor")
"""Their steps are those of `vps-proxmox`, by other words; the machines here are all the same."""
AS_DELIVERY = ("dedicated-ipmi", "dedicated-redfish")
"""Their steps are those of `dedicated-server`, for one kind of BMC: some commits of each do."""
FLOWS = tuple(row.slug for row in list_templates() if row.slug not in AS_PROXMOX)
CHANGED: Mapping[str, Mapping[str, Any]] = {
    "vps-resize": {"cores": 2, "memory_mb": 1024, "disk_gb": 10},
    "game-resize": {"product": "mc-8"},
    "custom-http-changed": {"plan": "18"},
}
HURRIED = "-hurried"
POLLING = ("custom-http", "custom-http-reinstall")
DELIVERY, TERMINATION = "dedicated-server", "server-terminated"
BY_CLOUD, RESCUE, REINSTALL = "dedicated-ironic", "server-rescue", "server-reinstall"
ERASURE, BURN_IN = "server-erase", "server-burn-in"
BOOTS = (DELIVERY, *AS_DELIVERY, ERASURE, BURN_IN, RESCUE, REINSTALL, "server-unrescue")
LIKE_OTHERS = ("game-", "custom-", "ironic-", BY_CLOUD, *AS_DELIVERY)
AT_LEAST_ONCE = frozenset({"alert-to-chat", "payment-to-chat", *BOOTS})
"""Of these a change may come about twice: chats know no keys, and a machine that is not at work yet
is booted again. One that is at work is not: the world tells where it was."""


@dataclass(frozen=True)
class Way:
    """A way through a shipped flow, as bad luck and people's words have it."""

    flow: str
    name: str = "all goes well"
    ends: str = "succeeded"
    broken: int = 0
    """How many servers cannot be installed, rescued, erased, or do not bear their load."""
    is_locked: bool = False
    """The BMC refuses to switch the server off."""
    word: str = ""
    """What a person says to that."""
    by_http: bool = False
    """The server is booted by UEFI's HTTP boot, not over its card."""
    its_own: tuple[int | None, int | None, int] = (None, None, 1)
    """Which of its commits no other way has, as a slice has it: from, to, each which."""

    @property
    def is_like_another(self) -> bool:
        """Most of its commits are those of another way, about something else."""
        is_worse = self.broken > (self.flow == DELIVERY)
        return is_worse or self.by_http or self.flow.startswith(LIKE_OTHERS)

    @property
    def is_hurried(self) -> bool:
        """It is one of waits that end by themselves."""
        return bool(self.broken) or (self.is_locked and not self.word) or self.flow in POLLING


WAYS = (
    *(Way(flow) for flow in FLOWS if flow not in (*AS_DELIVERY, BY_CLOUD)),
    *(Way(flow, its_own=(at, None, 4)) for at, flow in enumerate(AS_DELIVERY)),
    Way(BY_CLOUD, its_own=(-9, None, 1)),
    Way(BY_CLOUD, "the cloud cannot install the first server", broken=1, its_own=(-18, -7, 1)),
    Way(DELIVERY, "the first server is broken", broken=1, its_own=(-25, None, 1)),
    Way(DELIVERY, "five servers are broken", "failed", broken=5, its_own=(-26, None, 1)),
    Way(TERMINATION, "approved", is_locked=True, word="approved"),
    Way(TERMINATION, "rejected", is_locked=True, word="rejected"),
    Way(TERMINATION, "nobody decides", "failed", is_locked=True),
    Way("ironic-rescue", "it does not start", "failed", broken=1, its_own=(-6, None, 1)),
    Way(RESCUE, "it does not start", "halted", broken=1, its_own=(-6, None, 1)),
    Way(RESCUE, "by HTTP", by_http=True),
    Way(ERASURE, "by HTTP", by_http=True),
    Way(REINSTALL, "it does not install", "halted", broken=1, its_own=(-7, None, 1)),
    Way(ERASURE, "a disk is not erased", broken=1, its_own=(-9, None, 1)),
    Way(BURN_IN, "a part does not bear it", broken=1, its_own=(-4, None, 1)),
)
