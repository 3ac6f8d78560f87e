"""Network installs: iPXE, the three installers' answer files, and a boot ISO."""

from app.drivers.deploy.netboot.adapter import Netboot
from app.drivers.deploy.netboot.autoinstall import render_meta_data, render_user_data
from app.drivers.deploy.netboot.disk_finder import render_disk_script
from app.drivers.deploy.netboot.ipxe import boot_from_disk, render_ipxe, script_of_media
from app.drivers.deploy.netboot.iso import build_boot_iso
from app.drivers.deploy.netboot.kickstart import render_kickstart
from app.drivers.deploy.netboot.passwords import hash_password, new_password
from app.drivers.deploy.netboot.post_install import render_post_install
from app.drivers.deploy.netboot.preseed import render_preseed

__all__ = [
    "Netboot",
    "boot_from_disk",
    "build_boot_iso",
    "hash_password",
    "new_password",
    "render_disk_script",
    "render_ipxe",
    "render_kickstart",
    "render_meta_data",
    "render_post_install",
    "render_preseed",
    "render_user_data",
    "script_of_media",
]
