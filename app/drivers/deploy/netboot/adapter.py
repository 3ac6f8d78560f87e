"""The netboot deployer: which files each family of installers fetches."""

from collections.abc import Callable, Mapping
from pathlib import Path

from app.drivers.deploy.contract import AUTOEXEC, Document
from app.drivers.deploy.live import LiveSpec
from app.drivers.deploy.netboot.autoinstall import render_meta_data, render_user_data
from app.drivers.deploy.netboot.disk_finder import render_disk_script
from app.drivers.deploy.netboot.ipxe import (
    after_dhcp,
    boot_from_disk,
    render_ipxe,
    script_of_card,
    script_of_media,
)
from app.drivers.deploy.netboot.iso import build_boot_iso
from app.drivers.deploy.netboot.kickstart import render_kickstart
from app.drivers.deploy.netboot.live import SCRIPTS, render_live_ipxe, render_live_script
from app.drivers.deploy.netboot.post_install import render_post_install
from app.drivers.deploy.netboot.preseed import render_preseed
from app.drivers.deploy.spec import Family, InstallSpec

Renderer = Callable[[InstallSpec], str]

TEXT = "text/plain; charset=utf-8"
YAML = "text/cloud-config; charset=utf-8"

ANSWERS: Mapping[Family, Mapping[str, tuple[str, Renderer]]] = {
    Family.DEBIAN: {"preseed.cfg": (TEXT, render_preseed)},
    Family.UBUNTU: {
        "user-data": (YAML, render_user_data),
        "meta-data": (YAML, render_meta_data),
        # cloud-init asks for it and waits on an error; empty means: nothing to add.
        "vendor-data": (YAML, lambda _spec: ""),
    },
    Family.ALMALINUX: {"ks.cfg": (TEXT, render_kickstart)},
}
EVERYWHERE: Mapping[str, tuple[str, Renderer]] = {
    AUTOEXEC: (TEXT, after_dhcp),
    "boot.ipxe": (TEXT, render_ipxe),
    "post-install.sh": (TEXT, render_post_install),
}


class Netboot:
    """Adapter of `app.drivers.deploy.contract.Deployer`."""

    key = "netboot"

    def __init__(self, ipxe_efi: Path | None = None) -> None:
        """`ipxe_efi` is an iPXE EFI binary; without it ISOs boot in the lab only, HTTP nowhere."""
        self._ipxe_efi = ipxe_efi

    def boot_script(self, spec: InstallSpec | LiveSpec) -> str:
        return render_live_ipxe(spec) if isinstance(spec, LiveSpec) else render_ipxe(spec)

    def boot_file(self) -> bytes | None:
        return None if self._ipxe_efi is None else self._ipxe_efi.read_bytes()

    def card_script(self) -> str:
        return script_of_card()

    def media_script(self, spec: InstallSpec | LiveSpec) -> str:
        return script_of_media(spec)

    def disk_script(self) -> str:
        return boot_from_disk()

    def documents(self, spec: InstallSpec | LiveSpec) -> Mapping[str, Document]:
        if isinstance(spec, LiveSpec):
            return {
                AUTOEXEC: Document(TEXT, after_dhcp(spec)),
                "boot.ipxe": Document(TEXT, render_live_ipxe(spec)),
                SCRIPTS[spec.purpose]: Document(TEXT, render_live_script(spec)),
            }
        found = {"disks.sh": (TEXT, render_disk_script)} if spec.disks.are_found else {}
        return {
            name: Document(media_type, render(spec))
            for name, (media_type, render) in {
                **ANSWERS[spec.family],
                **EVERYWHERE,
                **found,
            }.items()
        }

    def boot_iso(self, script: str) -> bytes:
        return build_boot_iso(script, ipxe_efi=self.boot_file())
