"""Grml over the network: its boot script, and the script that it fetches and runs (`netscript`)."""

from app.drivers.deploy.live import LiveSpec, Purpose
from app.drivers.deploy.netboot.post_install import hosts_of, sshd_of
from app.drivers.deploy.netboot.target_network import networkd_files
from app.drivers.deploy.netboot.templating import render_plain

SCRIPTS = {
    Purpose.RESCUE: "rescue.sh",
    Purpose.ERASE: "erase.sh",
    Purpose.BURN_IN: "burn-in.sh",
}


def render_live_ipxe(spec: LiveSpec) -> str:
    """Return the iPXE script. Source: grml-cheatcodes, live-boot(7).

    Nothing is assembled or mounted: Grml starts RAID and LVM only when it is told to.
    """
    return render_plain("live.ipxe.j2", spec=spec, script=SCRIPTS[spec.purpose])


def render_live_script(spec: LiveSpec) -> str:
    """Return what the live system runs, as root: bash, and what Grml has on board."""
    if spec.burn_in is not None:
        return render_plain("burn-in.sh.j2", spec=spec, burn_in=spec.burn_in)
    system = spec.system
    if system is None:
        return render_plain("erase.sh.j2", spec=spec)
    return render_plain(
        "rescue.sh.j2",
        spec=spec,
        system=system,
        files=networkd_files(system),
        sshd=sshd_of(system),
        hosts=hosts_of(system),
        authorized_keys="".join(f"{key}\n" for key in system.ssh_keys),
    )
