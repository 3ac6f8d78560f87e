"""A switch's page: reached, compared, changed only after its commands were seen."""

from uuid import UUID

from app.core.clock import SetClock
from app.core.outbox import claim_due
from app.domain.accounts.roles import Role
from app.drivers.switching.contract import port_vlans
from app.jobs.drive_switches import SwitchWork
from tests.admin.conftest import Enter
from tests.admin.hall import a_hall
from tests.admin.stage import Stage
from tests.devices.cabled import KEY, PARKED, StubSwitches
from tests.security.browser import Browser

ACCESS = {
    "dialect": "cisco_ios", "host": "10.0.0.2", "port": "22", "username": "slipway",
    "secret": "s3cret-of-switches", "host_key": KEY, "parking_vid": "10",
}  # fmt: skip


async def work(stage: Stage, switches: StubSwitches) -> None:
    consumers = SwitchWork(stage.database, stage.vault, switches).consumers()
    async with stage.database.transaction() as tx:
        due = await claim_due(tx)
    for parcel in due:
        if parcel.topic in consumers:
            await consumers[parcel.topic](parcel)


async def test_a_switch_is_reached_read_and_changed_after_a_look(
    stage: Stage, owner: Browser, enter: Enter, clock: SetClock
) -> None:
    here = f"/admin/devices/{(await a_hall(stage))['switch']}"
    assert "Reach it" in (await owner.get(here)).text
    assert (await owner.get(f"{here}/switch")).status_code == 409
    bad = await owner.send_form(f"{here}/access", f"{here}/access", {**ACCESS, "host_key": "x"})
    assert bad.status_code == 422
    assert ACCESS["secret"] not in bad.text
    saved = await owner.send_form(f"{here}/access", f"{here}/access", ACCESS)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{here}/switch")
    assert "Waiting for the switch" in (await owner.get(f"{here}/switch")).text

    switches = StubSwitches({f"swp{number}": PARKED for number in range(1, 10)})
    await work(stage, switches)
    page = (await owner.get(f"{here}/switch")).text
    assert "Accept what the switch says of swp9" in page
    designer = await enter(Role.DESIGNER)
    looked = await designer.get(f"{here}/switch")
    assert (looked.status_code, "Accept what" in looked.text) == (200, False)
    assert (await designer.get(f"{here}/switch/change")).status_code == 403
    await owner.send_form(f"{here}/switch", f"{here}/switch/accept", {"name": "swp9"})
    assert "No differences" in (await owner.get(f"{here}/switch")).text

    asked = {"name": "swp2", "untagged": "101", "tagged": "200,300"}
    bad = await owner.send_form(
        f"{here}/switch/change", f"{here}/switch/change", {**asked, "untagged": "5000"}
    )
    assert bad.status_code == 422
    bad = await owner.send_form(
        f"{here}/switch/change", f"{here}/switch/change", {**asked, "name": "swp2\nno shutdown"}
    )
    assert (bad.status_code, "Choose a port of the list." in bad.text) == (422, True)
    planned = await owner.send_form(f"{here}/switch/change", f"{here}/switch/change", asked)
    change = planned.headers["location"]
    await work(stage, switches)
    page = (await owner.get(change)).text
    assert "switchport trunk allowed vlan 101,200,300" in page
    assert switches.ports["swp2"] == PARKED
    clock.advance(seconds=1)
    await owner.send_form(change, f"{change}/confirm", {})
    assert "The switch is being changed." in (await owner.get(f"{change}/now")).text
    await work(stage, switches)
    assert "The switch was read again and says so." in (await owner.get(change)).text
    assert switches.ports["swp2"] == port_vlans(101, "200,300")

    switches.ports["swp2"] = PARKED  # by another hand
    clock.advance(seconds=1)
    await owner.send_form(f"{here}/switch", f"{here}/switch/read", {})
    await work(stage, switches)
    assert "Put right on the switch: swp2" in (await owner.get(f"{here}/switch")).text
    asked_again = await owner.send_form(
        f"{here}/switch", f"{here}/switch/put-right", {"name": "swp2"}
    )
    await work(stage, switches)
    page = (await owner.get(asked_again.headers["location"])).text
    assert "switchport mode trunk" in page
    other = UUID(int=7)
    elsewhere = asked_again.headers["location"].replace(here.rpartition("/")[2], str(other))
    assert (await owner.get(elsewhere)).status_code == 404
    made_there = await owner.send_form(f"{here}/switch", f"{elsewhere}/confirm", {})
    assert made_there.status_code == 404
    trail = "SELECT count(*) FROM audit_entry WHERE action LIKE 'devices.%'"
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval(trail) == 3
