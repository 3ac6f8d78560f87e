"""The ISO that a BMC presents as a virtual CD."""

from io import BytesIO

import pycdlib

from app.drivers.deploy.netboot.fat import fat_image

SCRIPT = "autoexec.ipxe"
"""The name under which iPXE looks for a script on the medium it was started from."""


EFI_PLATFORM = 0xEF
"""El Torito's platform id for UEFI (UEFI specification, section 13.3.2)."""


def build_boot_iso(script: str, *, ipxe_efi: bytes | None = None) -> bytes:
    """Return an ISO with `script` as `autoexec.ipxe`; 400 KB without `ipxe_efi`.

    With `ipxe_efi` (an iPXE EFI binary for x86-64) it is bootable by UEFI firmware:
    El Torito points at a FAT image that holds the binary and the script.
    """
    text = script.encode()
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="SLIPWAY")
    try:
        _add(iso, "AUTOEXEC.IPX", SCRIPT, text)
        if ipxe_efi is not None:
            boot = fat_image({"EFI/BOOT/BOOTX64.EFI": ipxe_efi, SCRIPT: text})
            _add(iso, "EFIBOOT.IMG", "efiboot.img", boot)
            iso.add_eltorito(
                "/EFIBOOT.IMG;1",
                bootcatfile="/BOOT.CAT;1",
                rr_bootcatname="boot.cat",
                joliet_bootcatfile="/boot.cat",
                platform_id=EFI_PLATFORM,
                efi=True,
            )
        out = BytesIO()
        iso.write_fp(out)
    finally:
        iso.close()
    return out.getvalue()


def _add(iso: pycdlib.PyCdlib, short: str, name: str, content: bytes) -> None:
    iso.add_fp(BytesIO(content), len(content), f"/{short};1", rr_name=name, joliet_path=f"/{name}")
