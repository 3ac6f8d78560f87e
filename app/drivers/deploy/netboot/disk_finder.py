"""Finding the disks of a layout in the machine itself, by kind and size, before it is partitioned.

The kernel counts disks in the order in which they answer: `/dev/sda` is a hard disk today and
an SSD tomorrow, and a BMC's virtual disk may come first. So the installer looks, in the few
programs that debian-installer's BusyBox has, and goes on with names that do not change; where an
installer knows none but the kernel's, with those of this boot.
"""

from app.drivers.deploy.layout import count_of
from app.drivers.deploy.netboot.kickstart import INCLUDED, storage_lines
from app.drivers.deploy.netboot.preseed import raid_recipe
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import STANDS_FOR_DISK, Disks, Family, InstallSpec

LIST = "/tmp/slipway-disks"  # noqa: S108 - in the installer's memory
SECTOR_BYTES = 512
"""What /sys/block/…/size counts in, whatever the disk's own sectors are."""
SLACK_PERCENT = 8
"""A disk sold as 480 GB has 447 GiB, and people write down either."""


def render_disk_script(spec: InstallSpec, *, root: str = "", list_path: str = LIST) -> str:
    """Return `disks.sh`, which writes the disks' names into the installer's own answers.

    It ends with 1, after having told `{callback}/failed`, where the machine has not the disks
    that are written down of it: nothing is erased then. `root` is where /sys and /dev are.
    """
    disks = spec.disks
    return render(
        "disks.sh.j2",
        spec,
        **finder_facts(disks, root=root),
        list=list_path,
        wanted=_in_words(disks),
        numbers=range(1, len(disks.paths()) + 1),
        stands_for=STANDS_FOR_DISK,
        paths=" ".join(disks.paths()),
        raid_recipe=raid_recipe(spec) if spec.family is Family.DEBIAN else None,
        storage=storage_lines(spec),
        included=INCLUDED,
    )


def finder_facts(disks: Disks, *, root: str = "") -> dict[str, object]:
    """Return what `find-disks.sh.j2` is filled with; sizes in sectors."""
    low, high = disks.sizes_gb or (0, 0)
    sectors = 10**9 // SECTOR_BYTES
    return {
        "root": root,
        "kind": disks.kind.value,
        "count": len(disks.paths()),
        "low": low * sectors * (100 - SLACK_PERCENT) // 100,
        "high": high * sectors * (100 + SLACK_PERCENT) // 100,
    }


def _in_words(disks: Disks) -> str:
    low, high = disks.sizes_gb or (0, 0)
    size = f"{low} GB" if low == high else f"{low} to {high} GB"
    return f"{count_of(len(disks.paths()), disks.kind)} of {size}"
