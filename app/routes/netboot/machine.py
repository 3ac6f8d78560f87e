"""What a machine under installation fetches and reports.

Machines have no session: `/netboot/ipxe` answers to a network card that has an open
installation, everything else to the installation's token, until it ends.
"""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from app.core.errors import NotFound
from app.domain.services.report_install import (
    OpenInstallation,
    find_open,
    find_open_for_mac,
    report_boot,
    report_done,
    report_failed,
    report_progress,
)
from app.flows.signals import send_signal
from app.routes.security.dependencies import Db, Deploying, Sealing

SCRIPT = "text/plain; charset=utf-8"
ISO = "application/vnd.efi.iso"

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class Machine(Controller):
    """The netboot endpoints."""

    path = "/netboot"
    include_in_schema = False

    @get("/ipxe")
    async def boot_script(
        self, db: Db, vault: Sealing, deployer: Deploying, mac: FromQuery[str]
    ) -> Response[str]:
        """Return the installer's script, or the one that boots the disk."""
        async with db.transaction() as tx:
            try:
                installation = await find_open_for_mac(tx, vault, mac)
            except NotFound:
                return Response(deployer.disk_script(), media_type=SCRIPT)
            await report_boot(tx, installation)
            await send_signal(tx, signal_key(installation))
        return Response(deployer.boot_script(installation.spec), media_type=SCRIPT)

    @get("/{token:str}/boot.iso", media_type=ISO)
    async def boot_iso(
        self, db: Db, vault: Sealing, deployer: Deploying, token: FromPath[str]
    ) -> Response[bytes]:
        """Return the virtual-media image; its script is the installation's own."""
        async with db.snapshot() as tx:
            installation = await find_open(tx, vault, token=token)
        image = deployer.boot_iso(deployer.boot_script(installation.spec))
        return Response(image, media_type=ISO)

    @get("/{token:str}/{name:str}")
    async def document(
        self,
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
            await report_boot(tx, installation)
        return Response(document.body, media_type=document.media_type)

    @post("/{token:str}/progress", status_code=204)
    async def progress(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note `stage` and `percent` (0 to 99); what is not a number counts as 0."""
        percent = data.get("percent", "")
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            await report_progress(
                tx,
                installation,
                stage=data.get("stage", ""),
                percent=int(percent) if percent.isdecimal() and len(percent) < 4 else 0,
            )
            await send_signal(tx, signal_key(installation))

    @post("/{token:str}/done", status_code=204)
    async def done(self, db: Db, vault: Sealing, token: FromPath[str]) -> None:
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            await report_done(tx, installation)
            await send_signal(tx, signal_key(installation))

    @post("/{token:str}/failed", status_code=204)
    async def failed(self, db: Db, vault: Sealing, token: FromPath[str], data: Form) -> None:
        """Note the installer's own words in `message`."""
        async with db.transaction() as tx:
            installation = await find_open(tx, vault, token=token)
            message = data.get("message", "") or "the installer reported an error"
            await report_failed(tx, installation, message)
            await send_signal(tx, signal_key(installation))


def signal_key(installation: OpenInstallation) -> str:
    return f"installation:{installation.id}"
