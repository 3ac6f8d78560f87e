"""What can be done about a server at a cloud of bare metal, and the steps that this takes. Pure."""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255)]
Driver: TypeAlias = Annotated[str, Meta(max_length=255, pattern="^[a-z0-9-]*$")]
ResourceClass: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80)]


class Step(StrEnum):
    """A part of it, which the cloud is through with or is not."""

    known = "known"
    """The cloud knows the machine, and its BMC answers the cloud."""
    taken_on = "taken_on"
    """The node is marked as this server."""
    inspected = "inspected"
    """The cloud told what hardware there is."""
    offered = "offered"
    """The cloud has cleaned the disks, and offers the machine."""
    cleaned = "cleaned"
    """The cloud has cleaned the disks anew, and offers the machine."""
    adopted = "adopted"
    """The cloud has taken over the system that runs, as it is."""
    withdrawn = "withdrawn"
    """The cloud knows nothing of the server any more."""


class Enrol(msgspec.Struct, frozen=True, kw_only=True, tag="enrol"):
    """Have the cloud know a server by its BMC and its cards."""

    name: Name
    """Of the node; a cloud has each name once."""
    driver: Driver = ""
    """Empty: by the protocol of the BMC."""
    resource_class: ResourceClass = "baremetal"
    ca: str = "check"
    """Whose certificate the BMC must show: `check`, `any`, or a path on the conductor."""
    interfaces: dict[str, str] = {}
    """By kind (`boot`, `deploy`), where the driver's own are not meant."""
    driver_info: dict[str, str] = {}
    """What the driver is told besides, such as `deploy_kernel`; nothing secret."""
    inspect: bool = True
    offer: bool = True
    stock: bool = False
    """Put it into stock once it is offered, if the inspection found nothing else than we have."""

    @property
    def steps(self) -> tuple[Step, ...]:
        more = ((Step.inspected, self.inspect), (Step.offered, self.offer))
        return (Step.known, *(step for step, is_wanted in more if is_wanted))


class Adopt(msgspec.Struct, frozen=True, kw_only=True, tag="adopt"):
    """Take a node of the cloud for this server."""

    node: Name
    """Its id or name at the cloud."""
    how: Literal["link", "running", "offer"] = "link"
    """Only write down which it is; have the cloud take over what runs there; or have it cleaned
    and offered."""
    inspect: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        if self.how == "running":
            return (Step.taken_on, Step.adopted)
        more = ((Step.inspected, self.inspect), (Step.offered, self.how == "offer"))
        return (Step.taken_on, *(step for step, is_wanted in more if is_wanted))


class Inspect(msgspec.Struct, frozen=True, tag="inspect"):
    """Have the cloud look at the hardware."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return (Step.inspected,)


class Withdraw(msgspec.Struct, frozen=True, kw_only=True, tag="withdraw"):
    """Undo an enrolment or an adoption."""

    name: str = ""
    """What the node was to be called: by that it is found where it is not written down yet."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return (Step.withdrawn,)


class Clean(msgspec.Struct, frozen=True, tag="clean"):
    """Have the cloud clean a server that came back, and put it into stock."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return (Step.cleaned,)


Want: TypeAlias = Enrol | Adopt | Inspect | Withdraw | Clean
Deed: TypeAlias = Literal["enrol", "adopt", "inspect", "withdraw", "clean"]


def deed_of(want: Want) -> Deed:
    """Return what it is called, here and by the API."""
    deed: Deed = msgspec.convert(want.__struct_config__.tag, Deed)
    return deed


def works_on(want: Want) -> bool:
    """Say whether the machine must not be sold meanwhile, nor be anybody's."""
    return not isinstance(want, Adopt) or want.how == "offer" or want.inspect
