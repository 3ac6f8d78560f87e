"""The script that runs last, in the installed system: access, network, the operator's own."""

import uuid

from app.drivers.deploy.netboot.disk_finder import finder_facts
from app.drivers.deploy.netboot.disks import FIRMWARE_PART, members
from app.drivers.deploy.netboot.target_network import networkd_files, networkmanager_files
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Family, Firmware, InstallSpec

_NAMESPACE = uuid.UUID("3f0b51c2-6a0e-5a3f-9d56-4f1b8c7a2e10")


def render_post_install(spec: InstallSpec) -> str:
    """Return `post-install.sh` (bash, as root, in the target; safe to run twice).

    It fails with the line that failed, after having told `{callback}/failed`.
    """
    files: dict[str, str] = {}
    if spec.family is Family.DEBIAN:
        files = networkd_files(spec)
    elif spec.family is Family.ALMALINUX:
        files = networkmanager_files(spec, card_id=uuid.uuid5(_NAMESPACE, spec.mac))
    return render(
        "post-install.sh.j2",
        spec,
        files=files,
        sshd=sshd_of(spec),
        hosts=hosts_of(spec),
        authorized_keys="".join(f"{key}\n" for key in spec.ssh_keys),
        spare_esps=_spare_esps(spec),
        firmware_part=FIRMWARE_PART,
        finder=finder_facts(spec.disks) if spec.disks.are_found else None,
        scripts=spec.scripts,
        variables=variables_of(spec),
    )


def variables_of(spec: InstallSpec) -> dict[str, str]:
    """Return what the operator's scripts find in their environment; nothing of it is secret."""
    return {
        "SLIPWAY_OS": spec.os_key,
        "SLIPWAY_HOSTNAME": spec.hostname,
        "SLIPWAY_FQDN": spec.fqdn,
        "SLIPWAY_IPV4": spec.ipv4.address,
        "SLIPWAY_IPV6": "" if spec.ipv6 is None else spec.ipv6.address,
        "SLIPWAY_SSH_PORT": str(spec.ssh_port),
    }


def sshd_of(spec: InstallSpec) -> str:
    """Return the settings of sshd: root gets in by password only where there is one."""
    passwords = spec.root_password_hash is not None
    return (
        f"Port {spec.ssh_port}\n"
        f"PermitRootLogin {'yes' if passwords else 'prohibit-password'}\n"
        f"PasswordAuthentication {'yes' if passwords else 'no'}\n"
        f"KbdInteractiveAuthentication {'yes' if passwords else 'no'}\n"
        "PubkeyAuthentication yes\n"
    )


def hosts_of(spec: InstallSpec) -> str:
    """Return `/etc/hosts` of the installed system."""
    own = f"{spec.fqdn} {spec.hostname}"
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", f"{spec.ipv4.address} {own}"]
    if spec.ipv6 is not None:
        lines.append(f"{spec.ipv6.address} {own}")
    return "\n".join(lines) + "\n"


def _spare_esps(spec: InstallSpec) -> list[str]:
    """Return the EFI partitions that debian-installer leaves empty, one a further disk."""
    if spec.family is not Family.DEBIAN or spec.firmware is not Firmware.UEFI:
        return []
    return members(spec.disks, FIRMWARE_PART)[1:]
