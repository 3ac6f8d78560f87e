"""Reading a boot script from a CD image."""

import io
from pathlib import Path

import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

from lab.ipxe import BootError

SCRIPT = "autoexec.ipxe"
"""What iPXE looks for on the medium that it was started from."""
MAX_SCRIPT_BYTES = 64 * 1024


def boot_script(image: Path) -> str:
    """Return the image's autoexec.ipxe by its Rock Ridge, Joliet or plain ISO name.

    Raises BootError for what is no ISO 9660 image or carries no such file.
    """
    iso = pycdlib.PyCdlib()
    try:
        iso.open(str(image))
    except (PyCdlibException, OSError) as problem:
        raise BootError(f"CD: not bootable: {problem}") from None
    try:
        for names in (
            {"rr_path": f"/{SCRIPT}"},
            {"joliet_path": f"/{SCRIPT}"},
            *({"iso_path": f"/AUTOEXEC.{suffix};1"} for suffix in ("IPX", "IPXE")),
        ):
            content = io.BytesIO()
            try:
                iso.get_file_from_iso_fp(content, **names)
            except PyCdlibException:
                continue
            if len(content.getvalue()) > MAX_SCRIPT_BYTES:
                raise BootError(f"CD: {SCRIPT} is larger than {MAX_SCRIPT_BYTES} bytes")
            return content.getvalue().decode(errors="replace")
    finally:
        iso.close()
    raise BootError(f"CD: no {SCRIPT} in the image")
