"""The Redfish adapter against a BMC that misbehaves; each test is named after the fault."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from functools import partial

import msgspec
import pytest

from app.drivers.bmc import switch, vendors
from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import LockedOut
from app.drivers.bmc.redfish import RedfishFleet, media, session
from app.drivers.bmc.redfish.fleet import RedfishBmc
from app.drivers.boot import BootDevice, BootMode
from app.drivers.errors import Busy, NotReached, Refused, Retriable, Unauthorised, Unreachable
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustCa, TrustPin
from tests.drivers.bmc.faulty import DRIVES, PASSWORD, SYSTEM, TARGETS, USER, FaultyBmc
from tests.drivers.certificates import Authority
from tests.drivers.deadline import passes_once


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("faulty"))


@pytest.fixture
async def faulty(authority: Authority) -> AsyncIterator[FaultyBmc]:
    async with FaultyBmc(authority.issue("faulty")) as server:
        yield server


@pytest.fixture
async def fleet() -> AsyncIterator[RedfishFleet]:
    fleet = RedfishFleet()
    yield fleet
    await fleet.close()


@pytest.fixture
def bmc(fleet: RedfishFleet, faulty: FaultyBmc, authority: Authority) -> RedfishBmc:
    return fleet.bmc(address(faulty, authority))


def address(faulty: FaultyBmc, authority: Authority, password: str = PASSWORD) -> BmcAddress:
    return BmcAddress(
        url=faulty.url, username=USER, password=Secret(password), tls=TrustCa(authority.pem)
    )


def hurry(monkeypatch: pytest.MonkeyPatch, pause_s: float) -> None:
    """Let the BMC be asked again sooner than any vendor's is."""
    hurried = msgspec.structs.replace(vendors.GENERIC, power_rejection_pause_s=pause_s)
    monkeypatch.setattr(vendors, "GENERIC", hurried)


async def test_a_hung_bmc_is_seen_in_about_three_seconds(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.hang = True
    started_s = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        await bmc.power.read()
    assert 2.5 < time.monotonic() - started_s < 20


async def test_a_bmc_that_breaks_off_the_handshake_as_it_restarts_is_asked_again(
    fleet: RedfishFleet, authority: Authority
) -> None:
    """That is no word about its certificate, which a person would have to change."""

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write_eof()
        while await reader.read(1024):
            pass
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for tls in (TrustCa(authority.pem), TrustPin("ab" * 32)):
            starting = BmcAddress(url=url, username=USER, password=Secret(PASSWORD), tls=tls)
            with pytest.raises(Unreachable, match="broke off the TLS handshake"):
                await fleet.bmc(starting).power.read()


async def test_a_hung_bmc_does_not_delay_another(
    fleet: RedfishFleet,
    bmc: RedfishBmc,
    faulty: FaultyBmc,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FaultyBmc(authority.issue("healthy")) as healthy:
        other = fleet.bmc(address(healthy, authority))
        assert await other.power.read() is Power.OFF
        faulty.faults.hang = True
        monkeypatch.setattr(session, "READ_TIMEOUT_S", 60.0)
        hung = [asyncio.create_task(bmc.power.read()) for _ in range(80)]
        await hangs(faulty)
        assert await other.power.read() is Power.OFF
        assert not any(call.done() for call in hung), "the first hangs still"
        faulty.faults.hang = False
        await asyncio.gather(*hung, return_exceptions=True)
    assert faulty.most_under_way == 1


async def test_the_total_deadline_holds_while_the_thread_hangs(
    bmc: RedfishBmc, faulty: FaultyBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.faults.hang = True
    monkeypatch.setattr(session, "READ_TIMEOUT_S", 60.0)
    async with passes_once(switch, lambda: faulty.under_way):
        with pytest.raises(NotReached, match="still unknown"):
            await bmc.power.ensure(Power.ON, deadline_s=0.5)
    with pytest.raises(Busy):  # which says nothing of it
        await bmc.boot._link.call(str, deadline_s=0.2)
    assert bmc._link._slot.locked(), "the thread hangs still"


async def hangs(faulty: FaultyBmc) -> None:
    """Return once a request is there that is not answered."""
    async with asyncio.timeout(30):
        while not faulty.under_way:  # noqa: ASYNC110 - the server counts, it does not signal
            await asyncio.sleep(0.01)


async def test_a_reset_that_is_accepted_and_ignored_is_no_success(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.ignore_reset = True

    def is_looked_at() -> bool:
        return faulty.asked_since("Reset").count(("GET", SYSTEM)) > 1

    async with passes_once(switch, is_looked_at):
        with pytest.raises(NotReached) as caught:
            await bmc.power.ensure(Power.ON, deadline_s=1.5)
    assert (caught.value.wanted, caught.value.seen) == ("on", "off")
    assert len(faulty.asked("POST")) == 1


@pytest.mark.parametrize("status", [400, 409])
async def test_a_rejection_while_in_the_target_state_is_success(
    bmc: RedfishBmc, faulty: FaultyBmc, status: int
) -> None:
    faulty.faults.reject_reset_status, faulty.faults.reject_reset_times = status, 9
    faulty.faults.reject_applies = True
    await bmc.power.ensure(Power.ON, deadline_s=60)
    assert len(faulty.asked("POST")) == 1


async def test_a_conflict_just_after_off_is_retried(
    bmc: RedfishBmc, faulty: FaultyBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, 0.05)
    faulty.faults.reject_reset_status, faulty.faults.reject_reset_times = 409, 2
    await bmc.power.ensure(Power.ON, deadline_s=60)
    assert len(faulty.asked("POST")) == 3


async def test_a_lasting_conflict_is_told_in_the_bmcs_words(
    bmc: RedfishBmc, faulty: FaultyBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, 0.01)
    faulty.faults.reject_reset_status, faulty.faults.reject_reset_times = 409, 99
    with pytest.raises(Retriable, match="HTTP 409: not in this state"):
        await bmc.power.ensure(Power.ON, deadline_s=60)


async def test_a_server_error_on_reset_is_not_repeated_here(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.reject_reset_status, faulty.faults.reject_reset_times = 500, 9
    with pytest.raises(Retriable, match="HTTP 500"):
        await bmc.power.ensure(Power.ON, deadline_s=60)
    assert len(faulty.asked("POST")) == 1


async def test_answers_dropped_while_it_powers_up_are_borne(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    await bmc.power.read()
    waiting = asyncio.create_task(bmc.power.ensure(Power.ON, deadline_s=60))
    while not faulty.asked("POST"):  # noqa: ASYNC110 - the server records, it does not signal
        await asyncio.sleep(0.01)
    faulty.faults.fail_reads = 3  # sushy asks a second time after a 503
    await waiting


async def test_a_bmc_that_cannot_ask_the_system_to_stop(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    faulty.power = "On"
    with pytest.raises(Refused, match="GracefulShutdown"):
        await bmc.power.shut_down()
    assert faulty.power == "On"


async def test_a_machine_that_went_off_by_itself_meanwhile(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.power = "On"
    faulty.faults.soft = True
    faulty.faults.reject_reset_status, faulty.faults.reject_reset_times = 409, 2
    with pytest.raises(Retriable, match="not in this state"):
        await bmc.power.shut_down()
    faulty.faults.reject_applies = True
    await bmc.power.shut_down()
    assert faulty.power == "Off"


async def test_a_wrong_password_is_tried_once(
    fleet: RedfishFleet, faulty: FaultyBmc, authority: Authority
) -> None:
    faulty.faults.sessions = True
    with pytest.raises(Unauthorised, match="the password is wrong"):
        await fleet.bmc(address(faulty, authority, "wrong")).power.ensure(Power.ON, deadline_s=60)
    assert len(faulty.requests) == 2  # the service root, then one log-in


async def test_rejected_credentials_are_not_tried_again_until_there_are_others(
    fleet: RedfishFleet, bmc: RedfishBmc, faulty: FaultyBmc, authority: Authority
) -> None:
    faulty.faults.unauthorised = True
    with pytest.raises(Unauthorised):
        await bmc.power.read()
    faulty.faults.unauthorised = False
    asked = len(faulty.requests)
    for _ in range(3):
        with pytest.raises(LockedOut, match="the password is wrong"):
            await fleet.bmc(address(faulty, authority)).power.read()
    assert len(faulty.requests) == asked
    faulty.password = "other horse"
    mended = fleet.bmc(address(faulty, authority, "other horse"))
    assert await mended.power.read() is Power.OFF


async def test_what_an_account_may_not_do_does_not_lock_it_out(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.reject_reset_status, faulty.faults.reject_reset_times = 403, 9
    with pytest.raises(Refused, match="HTTP 403"):
        await bmc.power.ensure(Power.ON, deadline_s=60)
    assert await bmc.power.read() is Power.OFF


async def test_sessions_are_reused_and_deleted(
    fleet: RedfishFleet, bmc: RedfishBmc, faulty: FaultyBmc, authority: Authority
) -> None:
    faulty.faults.sessions = True
    for _ in range(3):
        await bmc.power.read()
        await fleet.bmc(address(faulty, authority)).power.read()
    assert faulty.open_sessions == 1
    assert len(faulty.asked("POST")) == 1
    await fleet.close()
    assert faulty.open_sessions == 0


async def test_basic_is_used_where_there_are_no_sessions(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    assert await bmc.power.read() is Power.OFF
    assert faulty.asked("POST") == []


async def test_boot_override_accepted_and_then_reverted(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    """bmclib#459: 200 OK, and the old target stays."""
    faulty.faults.revert_boot = True
    with pytest.raises(Refused, match="no override"):
        await bmc.boot.set_once(BootDevice.PXE)


async def test_a_device_that_was_accepted_while_another_stays(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.boot |= {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Hdd"}
    faulty.faults.revert_boot = True
    with pytest.raises(Refused, match="pxe was accepted, yet disk"):
        await bmc.boot.set_once(BootDevice.PXE)


async def test_a_mode_that_was_accepted_while_another_stays(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.stays_legacy = True
    with pytest.raises(Refused, match=r"pxe was accepted, yet pxe \(legacy\)"):
        await bmc.boot.set_once(BootDevice.PXE, mode=BootMode.UEFI)
    assert (await bmc.boot.set_once(BootDevice.PXE)).mode is BootMode.LEGACY


async def test_a_bmc_that_tells_no_mode_is_taken_at_its_word(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.manufacturer = "HPE"  # to whom none is sent
    del faulty.boot["BootSourceOverrideMode"]
    override = await bmc.boot.set_once(BootDevice.PXE, mode=BootMode.UEFI)
    assert (override.device, override.mode) == (BootDevice.PXE, None)


async def test_an_override_is_read_back_where_the_next_restart_will_find_it(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    """AMI's boards: what is set is told at the system only once the machine has restarted."""
    faulty.pending = dict(faulty.boot)
    for device in (BootDevice.PXE, BootDevice.DISK):
        override = await bmc.boot.set_once(device)
        assert (override.device, override.once) == (device, True)
        assert await bmc.boot.read() == override
    assert faulty.boot["BootSourceOverrideEnabled"] == "Disabled"


@pytest.mark.parametrize("kind", ["weak", "strong"])
async def test_a_change_names_the_state_that_it_was_made_for(
    bmc: RedfishBmc, faulty: FaultyBmc, kind: str
) -> None:
    """AMI's and Lenovo's want `If-Match`; some want their weak mark back as a strong one."""
    faulty.manufacturer, faulty.faults.etag = "HPE", kind  # to whom one payload is sent
    assert await bmc.power.read() is Power.OFF
    faulty.power = "On"  # by another's hand
    assert (await bmc.boot.set_once(BootDevice.PXE)).device is BootDevice.PXE


async def test_a_bmc_that_wants_the_mode_gets_it(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    faulty.faults.need_mode = True
    override = await bmc.boot.set_once(BootDevice.PXE)
    assert (override.device, override.mode, override.once) == (BootDevice.PXE, BootMode.UEFI, True)


@pytest.mark.parametrize(
    ("maker", "asked_for", "sent"),
    [
        ("Supermicro", None, [BootMode.UEFI]),
        ("HPE", BootMode.UEFI, [None]),
        ("Dell Inc.", None, [None]),
        ("Lenovo", BootMode.UEFI, [BootMode.UEFI]),
    ],
    ids=lambda given: str(given) if isinstance(given, str) else "",
)
async def test_the_boot_mode_is_sent_as_the_vendor_wants_it(
    bmc: RedfishBmc,
    faulty: FaultyBmc,
    maker: str,
    asked_for: BootMode | None,
    sent: list[BootMode | None],
) -> None:
    faulty.manufacturer = maker
    assert (await bmc.boot.set_once(BootDevice.PXE, mode=asked_for)).device is BootDevice.PXE
    modes = [body["Boot"].get("BootSourceOverrideMode") for body in faulty.bodies if body]
    assert modes == [mode and mode.value.upper() for mode in sent]


async def test_an_error_that_applied_is_success(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    faulty.faults.reject_applies = True
    assert (await bmc.boot.set_once(BootDevice.CD)).device is BootDevice.CD


WHERE = "http://192.0.2.1/netboot/ipxe.efi"


@pytest.mark.parametrize(("mode", "why"), [("UEFI", ""), ("Legacy", " while its .* legacy")])
async def test_a_bmc_without_http_boot_says_what_to_use_instead(
    bmc: RedfishBmc, faulty: FaultyBmc, mode: str, why: str
) -> None:
    faulty.boot["BootSourceOverrideMode"] = mode
    words = f"no UEFI HTTP boot{why}; have its server install by network or virtual-media"
    with pytest.raises(Refused, match=words) as caught:
        await bmc.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=WHERE)
    assert caught.value.field == "boot_method"
    assert faulty.asked("PATCH") == []


@pytest.fixture
def has_http(faulty: FaultyBmc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the firmware boot by HTTP, from an address that the BMC is told."""
    targets = "BootSourceOverrideTarget@Redfish.AllowableValues"
    monkeypatch.setitem(TARGETS, targets, [*TARGETS[targets], "UefiHttp"])
    faulty.boot["HttpBootUri"] = None


@pytest.mark.usefixtures("has_http")
async def test_firmware_is_told_what_to_fetch_by_http(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    faulty.boot["BootSourceOverrideMode"] = "Legacy"
    override = await bmc.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=WHERE)
    assert (override.device, override.mode, override.once, override.http_boot_uri) == (
        BootDevice.UEFI_HTTP, BootMode.UEFI, True, WHERE,
    )  # fmt: skip
    assert await bmc.boot.read() == override
    assert faulty.boot["HttpBootUri"] == WHERE
    assert (await bmc.boot.set_once(BootDevice.DISK)).http_boot_uri is None
    assert faulty.boot["HttpBootUri"] is None


@pytest.mark.usefixtures("has_http")
async def test_a_bmc_that_takes_no_address_leaves_it_to_dhcp(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    del faulty.boot["HttpBootUri"]
    override = await bmc.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=WHERE)
    assert (override.device, override.http_boot_uri) == (BootDevice.UEFI_HTTP, None)
    assert "HttpBootUri" not in faulty.boot


@pytest.mark.usefixtures("has_http")
async def test_the_address_is_read_back_where_the_next_restart_will_find_it(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.pending = dict(faulty.boot)
    del faulty.boot["HttpBootUri"]
    override = await bmc.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=WHERE)
    assert (override.device, override.http_boot_uri) == (BootDevice.UEFI_HTTP, WHERE)
    assert faulty.pending["HttpBootUri"] == WHERE


@pytest.mark.usefixtures("has_http")
async def test_an_address_that_was_accepted_and_not_kept(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.keeps_address = True
    for kept in (None, "http://192.0.2.1/netboot/of-another-time/ipxe.efi"):
        faulty.boot["HttpBootUri"] = kept
        with pytest.raises(Refused, match=r"another address .* is set; have its server") as caught:
            await bmc.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=WHERE)
        assert caught.value.field == "boot_method"
        assert "/netboot/" not in str(caught.value), "whoever has it may read an installation"


@pytest.mark.usefixtures("has_http")
@pytest.mark.parametrize(
    ("fault", "words"),
    [("revert_boot", "uefi_http was accepted, yet no override"),
     ("stays_legacy", "yet the boot mode stays legacy; have its server install by network")],
)  # fmt: skip
async def test_http_boot_accepted_and_then_reverted(
    bmc: RedfishBmc, faulty: FaultyBmc, fault: str, words: str
) -> None:
    setattr(faulty.faults, fault, True)
    with pytest.raises(Refused, match=words):
        await bmc.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=WHERE)


async def test_cold_reset_restarts_the_manager(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    await bmc.cold_reset()
    assert faulty.asked("POST") == ["/redfish/v1/Managers/1/Actions/Manager.Reset"]
    assert {"ResetType": "ForceRestart"} in faulty.bodies
    assert await bmc.power.read() is Power.OFF


async def test_a_manager_that_offers_no_restart_is_refused(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.faults.no_manager_reset = True
    with pytest.raises(Refused, match=r"Manager\.Reset"):
        await bmc.cold_reset()


async def test_inventory_without_cards_is_empty(bmc: RedfishBmc) -> None:
    assert (await bmc.inventory()).nics == ()


async def test_no_virtual_cd_is_refused(bmc: RedfishBmc) -> None:
    with pytest.raises(Refused):
        await bmc.media.eject()


OLD, NEW = "http://192.0.2.1/netboot/old/boot.iso", "http://192.0.2.1/netboot/new/boot.iso"


async def test_what_is_in_the_drive_is_ejected_first(bmc: RedfishBmc, faulty: FaultyBmc) -> None:
    faulty.has_drive, faulty.image = True, OLD
    await bmc.media.insert(NEW)
    assert faulty.image == NEW
    asked = len(faulty.asked("POST"))
    await bmc.media.insert(NEW)
    assert len(faulty.asked("POST")) == asked, "it is left where it is"


async def test_an_image_that_was_taken_and_is_not_there_is_no_success(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    faulty.has_drive = faulty.faults.ignore_insert = True
    async with passes_once(media, lambda: is_seen_after("InsertMedia", faulty)):
        with pytest.raises(NotReached, match=r"asked for boot\.iso inserted, still empty"):
            await bmc.media.insert(NEW)


@pytest.mark.parametrize("ignores_insert", [True, False])
async def test_an_image_that_sticks_is_not_taken_for_the_one_that_is_wanted(
    bmc: RedfishBmc, faulty: FaultyBmc, *, ignores_insert: bool
) -> None:
    """bmclib#410; all of our images have one name."""
    faulty.has_drive, faulty.image = True, OLD
    faulty.faults.ignore_eject, faulty.faults.ignore_insert = True, ignores_insert
    for do in (partial(bmc.media.insert, NEW), bmc.media.eject):
        faulty.requests.clear()
        async with passes_once(media, lambda: is_seen_after("EjectMedia", faulty)):
            with pytest.raises(NotReached, match=r"an empty drive, still holding boot\.iso"):
                await do()
        assert "InsertMedia" not in "".join(faulty.asked("POST"))


def is_seen_after(order: str, faulty: FaultyBmc) -> bool:
    """Return whether the drive has been read, and is read again, since it was told that."""
    return faulty.asked_since(order).count(("GET", f"{DRIVES}/Cd")) > 2


async def test_who_refuses_the_connection_is_told_in_the_systems_words(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    await faulty.__aexit__()
    with pytest.raises(Unreachable) as caught:
        await bmc.power.read()
    assert caught.value.message == os.strerror(errno.ECONNREFUSED)
