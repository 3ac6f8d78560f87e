"""The way to the screen of a server's machine at its BMC."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.audit.record import record
from app.domain.inventory.find import find_server
from app.domain.inventory.views import ServerView
from app.drivers.bmc.contract import BmcProtocol, url_host_of
from app.drivers.bmc.vendors import ScreenWay, Vendor, profile_of_vendor


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """Where staff find a machine's screen."""

    server: UUID
    server_name: str
    signs_on: bool
    """Whether the BMC makes an address for one opening that needs no signing in."""
    url: str
    """Its BMC's page, where one signs in."""


def screen_of(server: ServerView) -> Screen | None:
    """Return the way to the screen; None where the BMC has no page that is known of.

    A BMC that is spoken to by IPMI has one where its vendor's have.
    """
    if server.bmc_url is None:
        return None
    vendor = server.bmc_vendor or Vendor.GENERIC
    profile = profile_of_vendor(vendor)
    if server.bmc_protocol is BmcProtocol.REDFISH:
        signs_on = profile.screen_way is not ScreenWay.PAGE
        base = server.bmc_url
    elif vendor is Vendor.GENERIC:
        return None
    else:
        signs_on = False
        base = f"https://{url_host_of(server.bmc_url)}"
    return Screen(
        server=server.id, server_name=server.name, signs_on=signs_on, url=base + profile.screen_path
    )


async def screen_to_open(tx: Tx, server_id: UUID) -> Screen:
    """Return a screen that signs staff on. Raises NotFound."""
    found = screen_of(await find_server(tx, server_id))
    if found is None or not found.signs_on:
        raise NotFound("screen of server", server_id)
    return found


async def note_screen_opened(tx: Tx, screen: Screen, *, actor: UUID, actor_label: str) -> None:
    """Keep who was let in to the screen; by which address is kept nowhere."""
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.screen_opened",
        subject_kind="server",
        subject=screen.server,
        before={},
        after={},
    )
