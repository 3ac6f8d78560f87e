"""BMCs past Slipway: the lab's own by Redfish, and OpenIPMI's simulator in front of one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx

from app.domain.inventory.find import bmc_of
from app.drivers.bmc.contract import BmcAddress
from tests.drivers.bmc.ipmi_sim import PASSWORD, USER, Simulated, ipmi_sim
from tests.journeys.conftest import Provider


class Redfish:
    """A BMC of the lab, asked past Slipway."""

    def __init__(self, real: BmcAddress) -> None:
        auth = (real.username, real.password.reveal())
        self._http = httpx.AsyncClient(base_url=real.url, auth=auth, verify=False)
        self._system = real.system_path or ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    async def power(self) -> str:
        return str((await self._http.get(self._system)).json()["PowerState"]).lower()

    async def boot_once(self, target: str) -> None:
        override = {"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": "Once"}
        answer = await self._http.patch(self._system, json={"Boot": override})
        answer.raise_for_status()

    async def reset(self, kind: str) -> None:
        path = f"{self._system}/Actions/ComputerSystem.Reset"
        (await self._http.post(path, json={"ResetType": kind})).raise_for_status()


async def redfish_of(provider: Provider, server: str) -> Redfish:
    """Return the BMC that Slipway has for a server."""
    row = await _row(provider, server)
    async with provider.database.snapshot() as tx:
        return Redfish((await bmc_of(tx, provider.stack.vault, row["server"]))[0])


@contextlib.asynccontextmanager
async def spoken_to_by_ipmi(
    provider: Provider, server: str, folder: Path
) -> AsyncIterator[Simulated]:
    """Let Slipway know the server by IPMI alone, until the block ends."""
    row = await _row(provider, server)
    with ipmi_sim(folder) as sim:
        async with await redfish_of(provider, server) as real:
            await _write(provider, row | {
                "protocol": "ipmi", "boot_method": "network", "url": sim.address.url,
                "username": USER, "sealed_password": provider.stack.vault.seal(PASSWORD),
            })  # fmt: skip
            relay = asyncio.create_task(_follow(sim, real), name="ipmi-relay")
            try:
                yield sim
                assert not relay.done(), relay
            finally:
                relay.cancel()
                await asyncio.gather(relay, return_exceptions=True)
                await _write(provider, row)


async def _follow(sim: Simulated, real: Redfish) -> None:
    """Let the lab's machine do what the simulator was told: off, or on by what it is to boot."""
    is_on = False
    while True:
        await asyncio.sleep(0.05)
        wants = (sim.folder / "power").read_text().strip() == "1"
        if wants is is_on:
            continue
        if wants:
            boot = (sim.folder / "boot").read_text().strip()
            await real.boot_once("Pxe" if boot == "pxe" else "Hdd")
        await real.reset("On" if wants else "ForceOff")
        is_on = wants


@contextlib.asynccontextmanager
async def booted_by(provider: Provider, server: str, method: str) -> AsyncIterator[None]:
    """Let systems get onto the server in another way, until the block ends."""
    row = await _row(provider, server)
    await _write(provider, row | {"boot_method": method})
    yield
    await _write(provider, row)


async def _row(provider: Provider, server: str) -> dict[str, Any]:
    async with provider.database.snapshot() as tx:
        return dict(
            await tx.fetchrow(
                "SELECT b.* FROM bmc b JOIN server s ON s.id = b.server WHERE s.name = $1", server
            )
        )


async def _write(provider: Provider, row: dict[str, Any]) -> None:
    names = ("id", "protocol", "boot_method", "url", "username", "sealed_password")
    async with provider.database.transaction() as tx:
        await tx.execute(
            "UPDATE bmc SET protocol = $2, boot_method = $3, url = $4, username = $5, "
            "sealed_password = $6 WHERE id = $1",
            *(row[name] for name in names),
        )
