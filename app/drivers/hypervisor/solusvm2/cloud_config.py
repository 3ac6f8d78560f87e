"""What a machine sets up at its first start: the client's password and keys. Pure but for salt."""

import msgspec

from app.drivers.deploy.netboot.passwords import hash_password
from app.drivers.hypervisor.contract import VmWant


def cloud_config(want: VmWant) -> str:
    """Return the user data of cloud-init (JSON is YAML); the password is in it as its hash.

    The panel keeps it with the server, for its next installation too.
    """
    user: dict[str, object] = {"name": want.user, "lock_passwd": want.password is None}
    if want.ssh_keys:
        user["ssh_authorized_keys"] = list(want.ssh_keys)
    config: dict[str, object] = {
        "users": ["default", user],
        "disable_root": False,
        "ssh_pwauth": want.password is not None,
    }
    if want.password is not None:
        hashed = hash_password(want.password.reveal())
        config["chpasswd"] = {
            "expire": False,
            "users": [{"name": want.user, "password": hashed, "type": "hash"}],
        }
    return "#cloud-config\n" + msgspec.json.encode(config).decode() + "\n"
