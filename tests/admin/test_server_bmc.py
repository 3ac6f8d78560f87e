"""The form of a server's BMC: what cannot work is said, passwords are kept where they belong."""

import re
from datetime import timedelta

import msgspec
import pytest

from app.core.ids import new_id
from app.domain.inventory.bmc_faults import faults_of
from app.domain.inventory.bmc_turn import SharedTurns
from app.domain.inventory.find import bmc_of
from app.domain.inventory.seed import BmcSeed
from app.drivers.bmc.contract import BmcAddress, BmcProtocol, peer_of
from app.drivers.bmc.guard import LockedOut
from app.drivers.errors import Unauthorised
from app.drivers.secret import Secret
from tests.admin.stage import BMC_PASSWORD, Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

REJECTED = "The BMC rejects the user name or the password"
PIN = ":".join(["ab"] * 32)


async def address_of(stage: Stage, name: str) -> BmcAddress:
    async with stage.database.snapshot() as tx:
        return (await bmc_of(tx, stage.vault, stage.servers[name]))[0]


async def rejected(stage: Stage, address: BmcAddress, words: str) -> None:
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO bmc_rejection "
            "(id, peer, username, sealed_credentials, words, rejected_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            new_id(),
            address.peer,
            address.username,
            stage.vault.seal(f"{address.username}\0{address.password.reveal()}"),
            words,
            tx.now(),
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ipmi://10.0.0.7"}, "url"),
        ({"url": "https://root@10.0.0.7"}, "url"),
        ({"url": "https://10.0.0.7/redfish"}, "url"),
        ({"username": ""}, "username"),
        ({"tls_mode": "pin", "ca_pem": "abc"}, "ca_pem"),
        ({"ca_pem": "abc"}, "ca_pem"),
        ({"protocol": BmcProtocol.IPMI}, "url"),
        ({"protocol": BmcProtocol.IPMI, "url": "ipmi://h", "username": "u" * 17}, "username"),
        ({"protocol": BmcProtocol.IPMI, "url": "ipmi://h", "password": "é" * 11}, "password"),
        ({"protocol": BmcProtocol.IPMI, "url": "ipmi://h", "boot_method": "virtual-media"},
         "boot_method"),
        ({"protocol": BmcProtocol.IPMI, "url": "ipmi://h", "boot_method": "http"}, "boot_method"),
        ({"boot_method": "http"}, None),
        ({"tls_mode": "pin", "ca_pem": PIN}, None),
        ({"protocol": BmcProtocol.IPMI, "url": "ipmi://[2001:db8::1]:6230"}, None),
    ],
    ids=lambda given: None if isinstance(given, dict) else str(given),
)  # fmt: skip
def test_what_cannot_work_is_said_by_field(change: dict[str, str], field: str | None) -> None:
    whole = BmcSeed(url="https://10.0.0.7", username="root", password="calvin")
    faults = faults_of(msgspec.structs.replace(whole, **change))
    assert list(faults) == ([] if field is None else [field])


async def test_a_bmc_is_changed_and_its_password_goes_to_no_other(
    stage: Stage, owner: Browser
) -> None:
    server = stage.servers["fra1-b1-02"]
    here = f"/admin/servers/{server}/bmc"
    assert f'href="{here}"' in (await owner.get(f"/admin/servers/{server}")).text
    before = await address_of(stage, "fra1-b1-02")
    page = (await owner.get(here)).text
    assert before.url in page
    assert BMC_PASSWORD not in page
    typed = {
        "protocol": "ipmi",
        "url": "ipmi://10.77.0.7",
        "username": "slipway",
        "password": "",
        "boot_method": "network",
        "tls_mode": "ca",
        "ca_pem": "",
        "system_path": "",
    }
    refused = await owner.send_form(here, here, typed)
    assert refused.status_code == 422
    assert errors_of(refused.text) == {"password": "Type the password for this BMC."}
    refused = await owner.send_form(here, here, typed | {"protocol": "smoke", "password": "p1"})
    assert errors_of(refused.text) == {"protocol": "Choose one of those that are offered."}
    assert "p1" not in refused.text
    assert await address_of(stage, "fra1-b1-02") == before
    done = await owner.send_form(here, here, typed | {"password": "a new one"})
    assert (done.status_code, done.headers["location"]) == (303, f"/admin/servers/{server}")
    after = await address_of(stage, "fra1-b1-02")
    assert (after.protocol, after.url, after.username) == (
        BmcProtocol.IPMI, "ipmi://10.77.0.7", "slipway",
    )  # fmt: skip
    assert after.password.reveal() == "a new one"
    refused = await owner.send_form(here, here, typed | {"boot_method": "http"})
    assert errors_of(refused.text) == {
        "boot_method": "IPMI has no UEFI HTTP boot: choose the network, or Redfish where the BMC "
        "speaks it."
    }
    same = await owner.send_form(here, here, typed | {"username": "other"})
    assert same.status_code == 303
    assert (await address_of(stage, "fra1-b1-02")).password.reveal() == "a new one"
    async with stage.database.snapshot() as tx:
        trail = await tx.fetch(
            "SELECT before, after FROM audit_entry WHERE action = 'inventory.change_bmc' ORDER BY id"
        )
    assert len(trail) == 2
    assert "a new one" not in str(trail)
    assert '"password": "changed"' in trail[0]["after"]


async def test_a_server_is_installed_by_http_boot(stage: Stage, owner: Browser) -> None:
    server = stage.servers["fra1-b1-02"]
    here = f"/admin/servers/{server}/bmc"
    address = await address_of(stage, "fra1-b1-02")
    typed = {"protocol": "redfish", "url": address.url, "username": address.username}
    done = await owner.send_form(here, here, typed | {"boot_method": "http"})
    assert done.status_code == 303
    assert "UEFI HTTP boot" in (await owner.get(f"/admin/servers/{server}")).text
    async with stage.database.snapshot() as tx:
        method = await tx.fetchval("SELECT boot_method FROM bmc WHERE server = $1", server)
    assert method == "http"


async def test_a_rejection_is_shown_and_saving_lets_the_bmc_be_asked_again(
    stage: Stage, owner: Browser
) -> None:
    server = stage.servers["fra1-b1-02"]
    here = f"/admin/servers/{server}/bmc"
    address = await address_of(stage, "fra1-b1-02")
    for wait in (timedelta(minutes=2), timedelta(hours=1), None):
        await rejected(stage, address, "HTTP 401: no <such> user")
        again_at = None if wait is None else stage.clock.now() + wait
        for page in (f"/admin/servers/{server}", here):
            text = (await owner.get(page)).text
            assert REJECTED in text
            assert "HTTP 401: no &lt;such&gt; user" in text
            assert ("They are not tried any more." in text) is (again_at is None)
            once_more = re.search(r"tried once more, by the first request after <time [^>]*>", text)
            assert (once_more is None) is (again_at is None)
            if once_more and again_at:
                assert f'title="{again_at:%Y-%m-%d %H:%M:%S} UTC"' in once_more[0]
        stage.clock.advance(minutes=1)
    typed = {"protocol": "redfish", "url": address.url, "username": address.username}
    assert (await owner.send_form(here, here, typed)).status_code == 303
    for page in (f"/admin/servers/{server}", here):
        assert REJECTED not in (await owner.get(page)).text
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM bmc_rejection") == 0
    assert (await address_of(stage, "fra1-b1-02")).password == address.password


async def test_two_servers_behind_one_bmc_are_told_of_their_own_password_each(
    stage: Stage, owner: Browser
) -> None:
    one, other = stage.servers["fra1-b1-02"], stage.servers["fra1-b1-01"]
    right = await address_of(stage, "fra1-b1-02")
    wrong = msgspec.structs.replace(right, password=Secret("mistyped"))
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE bmc SET url = $2, username = $3, sealed_password = $4 WHERE server = $1",
            other,
            wrong.url,
            wrong.username,
            stage.vault.seal("mistyped"),
        )
    turns = SharedTurns(stage.database, stage.vault)
    with pytest.raises(Unauthorised):
        async with turns.turn(wrong):
            raise Unauthorised(wrong.url, "HTTP 401: no")
    with pytest.raises(LockedOut):
        async with turns.turn(wrong):
            pass
    async with turns.turn(right):
        pass
    for page in ("", "/bmc"):
        assert REJECTED in (await owner.get(f"/admin/servers/{other}{page}")).text
        assert REJECTED not in (await owner.get(f"/admin/servers/{one}{page}")).text


def test_a_peer_is_a_host_and_a_port() -> None:
    assert peer_of("https://BMC.example:8443/") == "bmc.example:8443"
    assert peer_of("ipmi://[2001:db8::1]") == "[2001:db8::1]"
