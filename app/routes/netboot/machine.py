"""What a machine that is installed, rescued, erased or burned in fetches and reports.

Machines have no session: `/netboot/ipxe` answers to a network card that has an open
installation, iPXE itself and the way to that to anyone, everything else to the installation's
token, until it ends. HEAD is answered
everywhere, and the boot image in parts: that is how BMCs read virtual media.
"""

import re
from functools import lru_cache
from typing import Annotated, Any

from litestar import Controller, Request, Response, post, route
from litestar.datastructures import ResponseHeader
from litestar.enums import HttpMethod, RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.services.report_burn_in import judge_burn_in, report_heat, report_part
from app.domain.services.report_erasure import failed_disks, judge_erasure, report_disk
from app.domain.services.report_hardware import report_hardware
from app.domain.services.report_install import (
    OpenInstallation,
    find_open,
    find_open_for_mac,
    is_installed,
    report_boot,
    report_done,
    report_failed,
    report_progress,
)
from app.drivers.deploy.contract import BOOT_FILE, Deployer
from app.drivers.deploy.live import Purpose
from app.flows.signals import send_signal
from app.routes.security.dependencies import Db, Deploying, Sealing
from app.routes.security.rate_limit import Limit, limited

SCRIPT = "text/plain; charset=utf-8"
ISO = "application/vnd.efi.iso"
EFI = "application/efi"
"""By it UEFI firmware knows what to start (UEFI specification, section 24.7)."""
READ = [HttpMethod.GET, HttpMethod.HEAD]
BY_CARD = Limit("netboot-ipxe", 600)
"""A hall of machines may boot behind one address; guessing cards is still hopeless."""
LARGEST_REPORT_BYTES = 16_384
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Asked = Request[Any, Any, Any]


class Machine(Controller):
    """The netboot endpoints."""

    path = "/netboot"
    include_in_schema = False
    request_max_body_size = LARGEST_REPORT_BYTES
    response_headers = (ResponseHeader(name="Cache-Control", value="no-store"),)

    @route("/ipxe", http_method=READ, guards=[limited(BY_CARD)])
    async def boot_script(
        self, request: Asked, db: Db, vault: Sealing, deployer: Deploying, mac: FromQuery[str]
    ) -> Response[str]:
        """Return the installer's script, or the one that boots the disk."""
        async with db.transaction() as tx:
            try:
                installation = await find_open_for_mac(tx, vault, mac)
            except NotFound:
                return Response(deployer.disk_script(), media_type=SCRIPT)
            await _note_boot(tx, request, installation)
        return Response(deployer.boot_script(installation.spec), media_type=SCRIPT)

    @route("/autoexec.ipxe", http_method=READ, guards=[limited(BY_CARD)])
    async def card_script(self, deployer: Deploying) -> Response[str]:
        """Return what an iPXE from `ipxe.efi` below runs first."""
        return Response(deployer.card_script(), media_type=SCRIPT)

    @route("/ipxe.efi", http_method=READ, media_type=EFI, guards=[limited(BY_CARD)])
    async def boot_file(self, deployer: Deploying) -> Response[bytes]:
        """Return what UEFI firmware boots by HTTP when DHCP sent it here."""
        return _boot_file(deployer)

    @route("/{token:str}/ipxe.efi", http_method=READ, media_type=EFI)
    async def own_boot_file(
        self, db: Db, vault: Sealing, deployer: Deploying, token: FromPath[str]
    ) -> Response[bytes]:
        """Return the same when its BMC sent it here; beside it is the installation's own script."""
        async with db.snapshot() as tx:
            await find_open(tx, vault, token=token)
        return _boot_file(deployer)

    @route("/{token:str}/boot.iso", http_method=READ, media_type=ISO)
    async def boot_iso(
        self, request: Asked, db: Db, vault: Sealing, deployer: Deploying, token: FromPath[str]
    ) -> Response[bytes]:
        """Return the virtual-media image, or a part; its script leads to the installation's own."""
        async with db.snapshot() as tx:
            installation = await find_open(tx, vault, token=token)
        script = deployer.media_script(installation.spec)
        image = _image(deployer, script)  # type: ignore[arg-type] # adapters hash by identity
        return _part_of(image, request.headers.get("range", ""))

    @route("/{token:str}/{name:str}", http_method=READ)
    async def document(  # noqa: PLR0917 - Litestar fills them in by name
        self,
        request: Asked,
        db: Db,
        vault: Sealing,
        deployer: Deploying,
        token: FromPath[str],
        name: FromPath[str],
    ) -> Response[str]:
        """Return one of the installer's files: preseed, user-data, kickstart, scripts."""
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            document = deployer.documents(installation.spec).get(name)
            if document is None:
                raise NotFound("netboot file", name)
            await _note_boot(tx, request, installation)
        return Response(document.body, media_type=document.media_type)

    @post("/{token:str}/progress", status_code=204)
    async def progress(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note `stage` and `percent` (0 to 99), and how hot it is; no number counts as 0."""
        percent = data.get("percent", "")
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            await report_progress(
                tx,
                installation,
                stage=data.get("stage", ""),
                percent=int(percent) if percent.isdecimal() and len(percent) < 4 else 0,
            )
            if installation.purpose is Purpose.BURN_IN:
                await report_heat(tx, installation, data)
            await send_signal(tx, signal_key(installation))

    @post("/{token:str}/done", status_code=204)
    async def done(self, db: Db, vault: Sealing, token: FromPath[str]) -> None:
        """Note that it is done. Said twice it is fine: the first answer may have been lost."""
        async with db.transaction() as tx:
            if await is_installed(tx, token=token):
                return
            installation = await find_open(tx, vault, token=token)
            if installation.purpose is Purpose.ERASE:
                await judge_erasure(tx, installation)
            elif installation.purpose is Purpose.BURN_IN:
                await judge_burn_in(tx, installation)
            else:
                await report_done(tx, installation)
            await send_signal(tx, signal_key(installation))

    @post("/{token:str}/disk", status_code=204)
    async def disk(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note what was done to one disk; said again, the later word stands."""
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            await report_disk(tx, installation, data)

    @post("/{token:str}/burn-in", status_code=204)
    async def burn_in(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note how one part bore its load; said again, the later word stands."""
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            await report_part(tx, installation, data)

    @post("/{token:str}/hardware", status_code=204)
    async def hardware(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note what the system sees of the machine; said again, the later word stands."""
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            await report_hardware(tx, installation, data)

    @post("/{token:str}/failed", status_code=204)
    async def failed(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note the installer's own words in `message`, and in `script` whose script failed."""
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            message = data.get("message", "") or "the installer reported an error"
            if installation.purpose is Purpose.ERASE:
                message = await failed_disks(tx, installation) or message
            await report_failed(tx, installation, message, script=data.get("script", ""))
            await send_signal(tx, signal_key(installation))


def signal_key(installation: OpenInstallation) -> str:
    return f"installation:{installation.id}"


async def _note_boot(tx: Tx, request: Asked, installation: OpenInstallation) -> None:
    if request.method == HttpMethod.GET and await report_boot(tx, installation):
        await send_signal(tx, signal_key(installation))


def _boot_file(deployer: Deployer) -> Response[bytes]:
    """Return it with its size, which firmware asks for first. Raises NotFound where none is."""
    binary = deployer.boot_file()
    if binary is None:
        raise NotFound("netboot file", BOOT_FILE)
    return Response(binary, media_type=EFI)


@lru_cache(maxsize=8)
def _image(deployer: Deployer, script: str) -> bytes:
    """Return the image; kept, since a BMC reads it in hundreds of small parts."""
    return deployer.boot_iso(script)


def _part_of(image: bytes, asked: str) -> Response[bytes]:
    """Return the one range that is `asked` for (RFC 9110, section 14), else the whole."""
    headers = {"Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(asked.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return Response(image, media_type=ISO, headers=headers)
    size = len(image)
    first = int(found[1]) if found[1] else max(size - int(found[2]), 0)
    last = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    if first > last:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(b"", status_code=416, media_type=ISO, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(image[first : last + 1], status_code=206, media_type=ISO, headers=headers)
