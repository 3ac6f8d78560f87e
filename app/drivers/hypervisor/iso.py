"""Machines that are installed from an ISO: how one is named, and who can do it."""

from typing import Any, Protocol, runtime_checkable

from app.drivers.hypervisor.contract import Offer, Ref, Vm, Working

_MARK = ":iso/"


def is_iso(name: str) -> bool:
    """Return whether what a machine is made of is an ISO, `STORAGE:iso/FILE`; else a template."""
    return _MARK in name


def storage_of(iso: str) -> str:
    return iso.partition(_MARK)[0]


def file_of(iso: str) -> str:
    """Return the name of the file, as people know it."""
    return iso.partition(_MARK)[2]


@runtime_checkable
class InstallsFromIso(Protocol):
    """A provider that installs machines from ISOs; one that cannot leaves this out.

    Its `create` and `reinstall` take an ISO for a template. Such a machine has an empty disk and
    the ISO in its drive, and starts from the disk as soon as that has a system. It is made once it
    runs: user, password, keys and addresses are for whoever installs it.
    """

    async def isos(self, like: str = "") -> tuple[Offer, ...]:
        """Return the ISOs that there are, one for each node that has it.

        A storage that does not say is left out; with `like`, an ISO, its storage alone is asked,
        and must say.
        """
        ...

    async def eject(self, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
        """Take the ISO out of the machine's drive; done again, nothing is done."""
        ...
