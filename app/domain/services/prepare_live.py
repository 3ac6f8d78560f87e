"""Write the boot of a live system down: to rescue a service's server, to erase or test nobody's."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound, Refusal
from app.core.secrets import Vault
from app.domain.inventory.burn_in import BurnIn
from app.domain.inventory.states import ServerState
from app.domain.services.prepare_install import (
    Site,
    open_installation,
    rescue_system,
    under_a_token,
)
from app.drivers.deploy.live import LiveImage, LiveSpec, Load, Purpose


class PreparedLive(msgspec.Struct, frozen=True):
    """The boot of a live system as the flow drives it."""

    id: UUID
    state: str
    server: UUID
    spec: LiveSpec
    error: str
    stage: str


class NoLiveImage(Refusal):
    code = "install.no_live_image"

    def __init__(self) -> None:
        super().__init__(
            "No live system is named that servers could be rescued, erased and burned in with. "
            "Set SLIPWAY_LIVE_KERNEL_URL, SLIPWAY_LIVE_INITRD_URL and SLIPWAY_LIVE_IMAGE_URL, "
            "then retry the step."
        )


class NotToBeErased(Refusal):
    code = "install.not_to_be_erased"

    def __init__(self, server: UUID, state: str) -> None:
        super().__init__(f"The server is {state}; only one in cleaning is erased.")
        self.server = server
        self.state = state


async def prepare_rescue(
    tx: Tx, vault: Vault, *, service: UUID, server: UUID, step_key: str, site: Site
) -> PreparedLive:
    """Return the rescue of `step_key`, written down on the first call.

    Its addresses, password and keys are those of the installed system. Raises NoLiveImage.
    """
    await tx.execute("SELECT 1 FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
    if found := await find_live(tx, vault, step_key):
        return found
    base = under_a_token(site)
    image = _image(site)
    system = await rescue_system(tx, vault, image, service=service, server=server, site=site)
    spec = LiveSpec(
        purpose=Purpose.RESCUE,
        image=image,
        name=system.hostname,
        mac=system.mac,
        nameservers=site.nameservers,
        callback_base=base,
        system=msgspec.structs.replace(system, callback_base=base),
    )
    return await _write(tx, vault, spec, service=service, server=server, step_key=step_key)


async def prepare_erase(
    tx: Tx, vault: Vault, *, server: UUID, step_key: str, site: Site
) -> PreparedLive:
    """Return the erasure of `step_key`, written down on the first call.

    Raises NotToBeErased unless the server is nobody's and waits for it, and NoLiveImage.
    """
    row = await tx.fetchrow(
        "SELECT name, mac, state FROM server WHERE id = $1 FOR NO KEY UPDATE", server
    )
    if row is None:
        raise NotFound("server", server)
    if found := await find_live(tx, vault, step_key):
        return found
    if row["state"] != ServerState.cleaning:
        raise NotToBeErased(server, row["state"])
    spec = LiveSpec(
        purpose=Purpose.ERASE,
        image=_image(site),
        name=_host_name(row["name"]),
        mac=row["mac"],
        nameservers=site.nameservers,
        callback_base=under_a_token(site),
    )
    return await _write(tx, vault, spec, service=None, server=server, step_key=step_key)


async def prepare_burn_in(
    tx: Tx, vault: Vault, burn_in: BurnIn, *, step_key: str, site: Site
) -> PreparedLive:
    """Return the boot of `step_key` for a burn-in, written down on the first call.

    What an earlier boot told is forgotten: the load begins anew. Raises NoLiveImage.
    """
    row = await tx.fetchrow(
        "SELECT name, mac FROM server WHERE id = $1 FOR NO KEY UPDATE", burn_in.server
    )
    if row is None:
        raise NotFound("server", burn_in.server)
    if found := await find_live(tx, vault, step_key):
        return found
    await tx.execute(
        "UPDATE burn_in SET parts = '[]', verdict = '', loaded_at = NULL, celsius = NULL "
        "WHERE id = $1",
        burn_in.id,
    )
    spec = LiveSpec(
        purpose=Purpose.BURN_IN,
        image=_image(site),
        name=_host_name(row["name"]),
        mac=row["mac"],
        nameservers=site.nameservers,
        callback_base=under_a_token(site),
        burn_in=Load(burn_in.minutes * 60),
    )
    return await _write(
        tx, vault, spec, service=None, server=burn_in.server, step_key=step_key, burn_in=burn_in.id
    )


def _host_name(server: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in server.lower()).strip("-")[:63]


async def find_live(tx: Tx, vault: Vault, step_key: str) -> PreparedLive | None:
    """Return the boot of a live system that a step has written down, if it has."""
    row = await tx.fetchrow(
        "SELECT id, state, server, sealed_spec, error, stage FROM installation "
        "WHERE step_key = $1 AND purpose <> 'install'",
        step_key,
    )
    if row is None:
        return None
    spec = msgspec.json.decode(vault.open(row["sealed_spec"]), type=LiveSpec)
    return PreparedLive(row["id"], row["state"], row["server"], spec, row["error"], row["stage"])


def _image(site: Site) -> LiveImage:
    if site.live is None:
        raise NoLiveImage
    return site.live


async def _write(
    tx: Tx,
    vault: Vault,
    spec: LiveSpec,
    *,
    service: UUID | None,
    server: UUID,
    step_key: str,
    burn_in: UUID | None = None,
) -> PreparedLive:
    await open_installation(
        tx,
        vault,
        spec,
        purpose=spec.purpose,
        service=service,
        server=server,
        step_key=step_key,
        burn_in=burn_in,
    )
    made = await find_live(tx, vault, step_key)
    if made is None:
        raise NotFound("installation", step_key)
    return made
