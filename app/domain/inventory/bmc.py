"""How a server's BMC is reached: read it, change it, and see whether it lets us in."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.secrets import CannotOpen, Vault
from app.domain.audit.record import record
from app.domain.inventory.bmc_faults import faults_of
from app.domain.inventory.bmc_turn import allow_again, due_again, forget_host_key, rejections_of
from app.domain.inventory.power import ask_now
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.inventory.states import tell
from app.drivers.bmc.contract import BmcProtocol, peer_of

_FACTS = ("protocol", "url", "username", "system_path", "tls_mode", "ca_pem", "boot_method")


class BmcView(msgspec.Struct, frozen=True, kw_only=True):
    """A server's BMC but for its password."""

    server: UUID
    server_name: str
    holder: UUID | None
    protocol: BmcProtocol = BmcProtocol.REDFISH
    url: str = ""
    """Empty while none is written down."""
    username: str = ""
    system_path: str = ""
    tls_mode: str = "ca"
    ca_pem: str = ""
    boot_method: str = "network"

    def facts(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in _FACTS}


class Rejection(msgspec.Struct, frozen=True):
    """What a BMC said to the credentials that are written down, when it rejected them last."""

    words: str
    at: datetime
    again_at: datetime | None
    """From when on they are tried once more; None: not before they are saved anew."""


async def protocols_in_use(tx: Tx) -> frozenset[BmcProtocol]:
    """Return how the BMCs that are written down are spoken to."""
    rows = await tx.fetch("SELECT DISTINCT protocol FROM bmc")
    return frozenset(BmcProtocol(row["protocol"]) for row in rows)


async def find_bmc(tx: Tx, server: UUID) -> BmcView:
    """Return the server's BMC, with an empty URL where it has none. Raises NotFound."""
    row = await tx.fetchrow(
        f"SELECT s.name AS server_name, s.holder, {', '.join(f'b.{name}' for name in _FACTS)} "
        "FROM server s LEFT JOIN bmc b ON b.server = s.id WHERE s.id = $1",
        server,
    )
    if row is None:
        raise NotFound("server", server)
    known = {name: value for name, value in row.items() if value is not None}
    return msgspec.convert({"server": server, "holder": None, **known}, BmcView)


async def rejection_of(tx: Tx, vault: Vault, server: UUID) -> Rejection | None:
    """Return whether its BMC rejected the credentials that are written down for the server.

    What it said to another password of that account, as written down for another server behind it,
    is not told.
    """
    bmc = await tx.fetchrow(
        "SELECT url, username, sealed_password FROM bmc WHERE server = $1 "
        "AND EXISTS (SELECT 1 FROM bmc_rejection r WHERE r.username = bmc.username)",
        server,
    )
    if bmc is None:
        return None
    try:
        password = vault.open(bmc["sealed_password"])
    except CannotOpen:
        return None  # it is shown to nobody, for want of our own key
    rows = await rejections_of(tx, vault, peer_of(bmc["url"]), bmc["username"], password)
    if not rows:
        return None
    rejected_at = [row["rejected_at"] for row in rows]
    return Rejection(rows[0]["words"], rejected_at[0], due_again(rejected_at))


async def change_bmc(
    tx: Tx, vault: Vault, server: UUID, wanted: BmcSeed, *, actor: UUID | None, actor_label: str
) -> None:
    """Write down how the BMC is reached, and let its credentials be tried (again); audited.

    An empty password keeps the one there is, unless the BMC is another one then: a password goes
    to the BMC only that it was typed for. Raises Invalid, by field, and NotFound.
    """
    before = await find_bmc(tx, server)
    faults = faults_of(wanted)
    password = wanted.password
    if not password:
        row = await tx.fetchrow("SELECT sealed_password FROM bmc WHERE server = $1", server)
        if row is None or peer_of(before.url) != peer_of(wanted.url):
            faults.setdefault("password", "Type the password for this BMC.")
        else:
            password = vault.open(row["sealed_password"])
    if faults:
        raise Invalid(faults)
    seed = msgspec.structs.replace(wanted, password=password, url=wanted.url.rstrip("/"))
    await register_bmc(tx, vault, server, seed)
    await allow_again(tx, peer_of(seed.url), seed.username)
    if wanted.password:
        await forget_host_key(tx, peer_of(seed.url))
    await ask_now(tx, server)
    old, new = before.facts(), (await find_bmc(tx, server)).facts()
    changed = [name for name in _FACTS if old[name] != new[name]]
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.change_bmc",
        subject_kind="server",
        subject=server,
        before={name: old[name] for name in changed},
        after={name: new[name] for name in changed}
        | ({"password": "changed"} if wanted.password else {}),
    )
    tell(tx, server, before.holder)
