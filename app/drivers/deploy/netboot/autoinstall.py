"""Subiquity's answers (Ubuntu), as cloud-init's nocloud source fetches them."""

import shlex
from typing import Any

import yaml

from app.drivers.deploy.netboot.ubuntu_storage import storage
from app.drivers.deploy.spec import InstallSpec


def render_user_data(spec: InstallSpec) -> str:
    """Return `user-data`. Source: Ubuntu installer, autoinstall configuration reference."""
    return "#cloud-config\n" + _yaml({"autoinstall": _autoinstall(spec)})


def render_meta_data(spec: InstallSpec) -> str:
    """Return `meta-data`; the instance id changes with the host name only."""
    return _yaml({"instance-id": f"slipway-{spec.hostname}", "local-hostname": spec.hostname})


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, width=4096)


def _autoinstall(spec: InstallSpec) -> dict[str, Any]:
    script = "/root/slipway-post-install.sh"
    return {
        "version": 1,
        "locale": "en_US.UTF-8",
        "keyboard": {"layout": "us"},
        "timezone": "Etc/UTC",
        "refresh-installer": {"update": False},
        "apt": {
            "geoip": False,
            "primary": [{"arches": ["amd64"], "uri": spec.mirror_url}],
        },
        "network": network(spec),
        "storage": {"swap": {"size": 0}, "config": storage(spec)},
        "ssh": {"install-server": True, "allow-pw": spec.root_password_hash is not None},
        "packages": ["curl", "ca-certificates"]
        + (["mdadm"] if spec.disks.raid is not None else [])
        + (["lvm2"] if spec.disks.lvm else []),
        # In place of `identity`, which cannot name root.
        "user-data": {
            "hostname": spec.hostname,
            "fqdn": spec.fqdn,
            "preserve_hostname": False,
            "disable_root": False,
            "ssh_pwauth": spec.root_password_hash is not None,
            "users": [_root(spec)],
        },
        # Subiquity reads /autoinstall.yaml again after these, with the disks' names in it.
        "early-commands": [
            _progress(spec, "installer", 5),
            *([_find_disks(spec)] if spec.disks.are_found else []),
        ],
        "late-commands": [
            _progress(spec, "configuring", 85),
            f"curl -fsS --retry 5 -o /target{script} {spec.callback_base}/post-install.sh",
            f"curtin in-target --target=/target -- bash {script}",
            f"rm /target{script}",
            _post(spec, "done", percent="100") + " --retry 10 --retry-all-errors",
        ],
        "error-commands": [
            _post(spec, "failed", stage="autoinstall", message="the installer stopped")
            + " --retry 5 || true"
        ],
        "shutdown": "reboot",
    }


def _root(spec: InstallSpec) -> dict[str, Any]:
    root: dict[str, Any] = {"name": "root", "lock_passwd": spec.root_password_hash is None}
    if spec.root_password_hash is not None:
        root["hashed_passwd"] = spec.root_password_hash
    if spec.ssh_keys:
        root["ssh_authorized_keys"] = list(spec.ssh_keys)
    return root


def network(spec: InstallSpec) -> dict[str, Any]:
    """Return netplan's configuration: everything static, the card found by its MAC."""
    addresses = [f"{spec.ipv4.address}/{spec.ipv4.prefixlen}"]
    addresses += [f"{address}/32" for address in spec.extra_ipv4]
    # `on-link`: a hosting gateway is often outside the prefix (a /32 address).
    routes = [{"to": "0.0.0.0/0", "via": spec.ipv4.gateway, "on-link": True}]
    if spec.ipv6 is not None:
        addresses.append(f"{spec.ipv6.address}/{spec.ipv6.prefixlen}")
        if spec.ipv6.gateway is not None:
            routes.append({"to": "::/0", "via": spec.ipv6.gateway, "on-link": True})
    quiet: dict[str, Any] = {"dhcp4": False, "dhcp6": False, "accept-ra": False}
    carrier = quiet | {
        "addresses": addresses,
        "routes": routes,
        "nameservers": {"addresses": list(spec.nameservers), "search": [spec.domain]},
    }
    card: dict[str, Any] = {"match": {"macaddress": spec.mac}}
    if spec.vlan is None:
        return {"version": 2, "ethernets": {"uplink": card | carrier}}
    return {
        "version": 2,
        "ethernets": {"uplink": card | quiet},
        "vlans": {f"vlan{spec.vlan}": {"id": spec.vlan, "link": "uplink"} | carrier},
    }


def _progress(spec: InstallSpec, stage: str, percent: int) -> str:
    # A lost report must not fail the install.
    return _post(spec, "progress", stage=stage, percent=str(percent)) + " || true"


def _find_disks(spec: InstallSpec) -> str:
    script = "/tmp/slipway-disks.sh"  # noqa: S108 - in the installer's memory
    fetch = f"curl -fsS --retry 5 -o {script} {spec.callback_base}/disks.sh"
    return f"{fetch} && bash {script}"


def _post(spec: InstallSpec, what: str, **form: str) -> str:
    fields = " ".join(f"--data-urlencode {shlex.quote(f'{key}={form[key]}')}" for key in form)
    return f"curl -fsS --max-time 10 {fields} {spec.callback_base}/{what}"
