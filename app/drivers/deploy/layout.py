"""How the disks of a product's servers are divided: which disks, RAID, LVM, swap, volumes.

Pure: a layout is data of the catalogue, and `lay_out` says which disks of a server it takes.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec

from app.core.errors import Refusal
from app.drivers.deploy.checks import MOUNT
from app.drivers.deploy.spec import DiskKind, Disks, RaidLevel, Volume, data_members

Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
RESERVED = frozenset(
    {
        *("boot", "dev", "etc", "proc", "sys", "run", "bin", "sbin", "lib", "lib64", "usr", "root"),
        *("efi", "swap", "lvm"),
    }
)
"""First parts of paths that belong to the root's file system, or to none, or are names of ours."""
LEAST_MEMBERS: dict[RaidLevel | None, int] = {None: 1, 0: 2, 1: 2, 5: 3, 6: 4, 10: 4}
MOST_MEMBERS = 24
SYSTEM_GB = 12
"""What each disk keeps for the firmware, /boot and the least of a root file system."""


class DiskGroup(NamedTuple):
    """Disks of one kind and size that a server has."""

    kind: DiskKind
    capacity_gb: int
    quantity: int


class DiskLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to divide the disks; the root file system takes what is left."""

    code: Annotated[str, msgspec.Meta(max_length=40)]
    """What the order form and the flow call it."""
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    kind: DiskKind | None = None
    """Which disks carry the system; None: the fastest that are enough."""
    capacity_gb: Positive = 1
    """Least of each disk."""
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS)] = 1
    raid: RaidLevel | None = None
    """Linux md; None: one disk alone."""
    lvm: bool = False
    filesystem: Literal["ext4", "xfs"] | None = None
    """None: as the distribution has it."""
    swap_gb: Annotated[int, msgspec.Meta(ge=0, le=4_096)] = 0
    volumes: tuple[Volume, ...] = ()
    """File systems of their own beside the root's, each of a fixed size."""

    @property
    def least_gb(self) -> int:
        """Return how large each disk has to be."""
        return max(self.capacity_gb, needed_gb(self))


class LayoutDoesNotFit(Refusal):
    code = "install.layout_does_not_fit"

    def __init__(self, layout: DiskLayout, server: str, has: str) -> None:
        super().__init__(
            f"The layout {layout.name} takes {disks_in_words(layout)}; server {server} has {has}. "
            "Choose another server or another layout."
        )
        self.layout = layout.code
        self.server = server
        self.has = has


def layout_faults(layout: DiskLayout) -> Iterator[str]:
    """Yield what is wrong with a layout, each as a sentence."""
    if not CODE.fullmatch(layout.code):
        yield f"“{layout.code[:40]}” is no code: lower-case letters, digits and hyphens."
    least = LEAST_MEMBERS[layout.raid]
    if layout.raid is None and layout.count > 1:
        yield f"{layout.code}: without RAID the system is on one disk; name a RAID level."
    elif layout.count < least:
        yield f"{layout.code}: RAID {layout.raid} takes at least {least} disks."
    elif layout.raid == 10 and layout.count % 2:
        yield f"{layout.code}: RAID 10 takes an even number of disks."
    mounts = [volume.mount for volume in layout.volumes]
    for mount in mounts:
        if not MOUNT.fullmatch(mount) or mount.split("/")[1] in RESERVED:
            yield f"{layout.code}: “{mount[:60]}” cannot be a volume; use a path such as /home."
    if len(set(mounts)) < len(mounts):
        yield f"{layout.code}: a path is named twice."
    if needed_gb(layout) > layout.capacity_gb and (layout.volumes or layout.swap_gb):
        yield (
            f"{layout.code}: swap and volumes take {needed_gb(layout)} GB of each disk with the "
            f"system; ask for disks of at least so much instead of {layout.capacity_gb} GB."
        )


def layouts_fault(layouts: Sequence[DiskLayout]) -> str:
    """Return what is wrong with the layouts of a product, "" for nothing."""
    codes = [layout.code for layout in layouts]
    if len(set(codes)) < len(codes):
        return "Two layouts have the same code."
    return next((fault for layout in layouts for fault in layout_faults(layout)), "")


def needed_gb(layout: DiskLayout) -> int:
    """Return what the layout takes of each disk at least, in GB, with the system's own."""
    fixed = layout.swap_gb + sum(volume.size_gb for volume in layout.volumes)
    # Volumes are counted in GiB, as swap and memory are: some 7 % more than disks are sold by.
    members = max(layout.count, LEAST_MEMBERS[layout.raid])
    return SYSTEM_GB + -(-fixed * 1_074 // (1_000 * data_members(layout.raid, members)))


def lay_out(layout: DiskLayout, server: str, groups: Sequence[DiskGroup]) -> Disks:
    """Return the disks of a server that the layout takes: the smallest alike that are enough.

    Where no one size is enough, disks of different sizes are taken together. Raises
    LayoutDoesNotFit with what the server has.
    """
    for kind in DiskKind if layout.kind is None else (layout.kind,):
        fit = sorted(
            (group.capacity_gb, group.quantity)
            for group in groups
            if group.kind == kind and group.capacity_gb >= layout.least_gb
        )
        alike = next((size for size, quantity in fit if quantity >= layout.count), None)
        if alike is None and sum(quantity for _, quantity in fit) < layout.count:
            continue
        return Disks(
            kind=kind,
            raid=layout.raid,
            count=layout.count,
            sizes_gb=(fit[0][0], fit[-1][0]) if alike is None else (alike, alike),
            lvm=layout.lvm,
            filesystem=layout.filesystem,
            swap_gb=layout.swap_gb,
            volumes=layout.volumes,
        )
    has = ", ".join(f"{count_of(g.quantity, g.kind)} of {g.capacity_gb} GB" for g in groups)
    raise LayoutDoesNotFit(layout, server, has or "no disk written down")


def count_of(number: int, kind: DiskKind | None) -> str:
    """Return so many disks of a kind in words: `2 SSDs`; None is any kind, but one."""
    one, several = KINDS[kind]
    return f"{number} {one if number == 1 else several}"


KINDS: dict[DiskKind | None, tuple[str, str]] = {
    DiskKind.NVME: ("NVMe disk", "NVMe disks"),
    DiskKind.SSD: ("SSD", "SSDs"),
    DiskKind.HDD: ("hard disk", "hard disks"),
    None: ("disk", "disks of one kind"),
}


def disks_in_words(layout: DiskLayout) -> str:
    """Return which disks a layout takes: `2 NVMe disks of at least 480 GB in RAID 1`."""
    raid = "" if layout.raid is None else f" in RAID {layout.raid}"
    return f"{count_of(layout.count, layout.kind)} of at least {layout.least_gb} GB{raid}"


def layout_in_words(layout: DiskLayout) -> str:
    """Return the whole layout in one line, for pages."""
    parts = [
        disks_in_words(layout),
        "LVM" if layout.lvm else "",
        layout.filesystem or "",
        f"{layout.swap_gb} GB swap" if layout.swap_gb else "",
        *(f"{volume.mount} {volume.size_gb} GB" for volume in layout.volumes),
    ]
    return ", ".join(part for part in parts if part)
