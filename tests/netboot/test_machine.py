"""The netboot endpoints: strangers get nothing, machines may say everything twice."""

import httpx
import pytest

from app.core.database import Database
from app.core.secrets import Vault
from tests.services.hall import Hall, open_hall


async def base_of(hall: Hall, key: str = "run:/:install#1") -> str:
    return (await hall.installation(key)).spec.callback_base


async def boot(machine: httpx.AsyncClient, mac: str) -> str:
    answer = await machine.get("/netboot/ipxe", params={"mac": mac})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("mac", ["02:ff:ff:ff:ff:ff", "", "x", "%", "é" * 500, "1" * 4000])
async def test_a_stranger_boots_from_its_disk(
    machine: httpx.AsyncClient, hall: Hall, mac: str
) -> None:
    base = await base_of(hall)
    said = await boot(machine, mac)
    assert "/netboot/" not in said
    assert base not in said


async def test_a_known_machine_gets_its_script_however_its_card_is_written(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = await base_of(hall)
    for mac in (hall.mac, hall.mac.upper(), hall.mac.replace(":", "-")):
        assert base in await boot(machine, mac)
    assert await hall.state() == ("booted", "booting", 1, "")
    assert await hall.signals() == 1, "the second boot is no news"


async def test_a_card_gets_no_script_when_the_machine_boots_from_media(
    machine: httpx.AsyncClient, database: Database, vault: Vault
) -> None:
    hall = await open_hall(database, vault, boot_method="virtual-media")
    base = await base_of(hall)
    assert base not in await boot(machine, hall.mac)
    assert (await machine.get(f"{base}/boot.iso")).status_code == 200


async def test_a_machine_that_was_installed_boots_from_its_disk(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = await base_of(hall)
    assert (await machine.post(f"{base}/done", data={"percent": "100"})).status_code == 204
    assert base not in await boot(machine, hall.mac)


@pytest.mark.parametrize("end", ["done", "failed"])
async def test_the_token_ends_with_the_installation(
    machine: httpx.AsyncClient, hall: Hall, end: str
) -> None:
    base = await base_of(hall)
    assert (await machine.post(f"{base}/{end}", data={"message": "x"})).status_code == 204
    for path in ("preseed.cfg", "boot.ipxe", "boot.iso", "post-install.sh"):
        assert (await machine.get(f"{base}/{path}")).status_code == 404
    late = await machine.post(f"{base}/progress", data={"stage": "late", "percent": "1"})
    assert late.status_code == 404
    assert (await hall.state())[0] == {"done": "installed", "failed": "failed"}[end]


async def test_done_may_be_said_again_when_its_answer_was_lost(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = await base_of(hall)
    answers = [(await machine.post(f"{base}/done", data={"percent": "100"})) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert await hall.signals() == 1
    assert (await machine.post(f"{base}/failed", data={"message": "x"})).status_code == 404
    assert (await hall.state())[0] == "installed"


async def test_done_without_a_body_is_done(machine: httpx.AsyncClient, hall: Hall) -> None:
    base = await base_of(hall)
    assert (await machine.post(f"{base}/done")).status_code == 204


async def test_an_abandoned_installation_is_not_found(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    old = await base_of(hall)
    new = await base_of(hall, "run:/:install#2")
    assert (await machine.get(f"{old}/preseed.cfg")).status_code == 404
    assert (await machine.post(f"{old}/done")).status_code == 404
    assert new in await boot(machine, hall.mac)


@pytest.mark.parametrize("token", ["x", "%ff%fe", "a" * 3000, "..%2f..", "None"])
async def test_a_guessed_token_finds_nothing(
    machine: httpx.AsyncClient, hall: Hall, token: str
) -> None:
    await base_of(hall)
    for name in ("preseed.cfg", "boot.iso"):
        answer = await machine.get(f"/netboot/{token}/{name}")
        assert answer.status_code == 404
        assert "$6$" not in answer.text
    for name in ("progress", "done", "failed"):
        answer = await machine.post(f"/netboot/{token}/{name}", data={"stage": "x"})
        assert answer.status_code == 404


async def test_the_hash_is_in_the_installers_files_only_and_not_cached(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = await base_of(hall)
    answer = await machine.get(f"{base}/preseed.cfg")
    assert "$6$" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "$6$" not in (await machine.get(f"{base}/boot.ipxe")).text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"stage": "packages", "percent": "42"}, ("packages", 42)),
        ({"stage": "packages", "percent": "4200"}, ("packages", 0)),
        ({"stage": "packages", "percent": "-3"}, ("packages", 0)),
        ({"stage": "packages", "percent": "4.5"}, ("packages", 0)),
        ({"stage": "packages", "percent": "100"}, ("packages", 99)),
        ({"stage": "s" * 5_000, "percent": "5"}, ("s" * 80, 5)),
        ({"stage": "a\x00b", "percent": "5"}, ("a�b", 5)),
        ({"percent": "5"}, ("", 5)),
    ],
)
async def test_progress_is_kept_within_bounds(
    machine: httpx.AsyncClient, hall: Hall, said: dict[str, str], kept: tuple[str, int]
) -> None:
    base = await base_of(hall)
    assert (await machine.post(f"{base}/progress", data=said)).status_code == 204
    assert await hall.state() == ("installing", *kept, "")


async def test_a_report_of_any_size_does_no_harm(machine: httpx.AsyncClient, hall: Hall) -> None:
    base = await base_of(hall)
    answer = await machine.post(f"{base}/failed", data={"message": "x" * 10_000_000})
    assert answer.status_code == 413
    assert (await hall.state())[0] == "prepared"


async def test_a_failure_is_kept_in_the_installers_words(
    machine: httpx.AsyncClient, hall: Hall
) -> None:
    base = await base_of(hall)
    answer = await machine.post(
        f"{base}/failed", data={"message": "no disk \x00 found", "script": "\x00"}
    )
    assert answer.status_code == 204
    assert await hall.state() == ("failed", "", 0, "no disk � found")
    assert await hall.signals() == 1


async def test_a_look_at_the_head_changes_nothing(machine: httpx.AsyncClient, hall: Hall) -> None:
    base = await base_of(hall)
    for url in (f"/netboot/ipxe?mac={hall.mac}", f"{base}/preseed.cfg", f"{base}/boot.iso"):
        head = await machine.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert (await hall.state())[0] == "prepared"
        assert await hall.signals() == 0
    size = int((await machine.head(f"{base}/boot.iso")).headers["content-length"])
    assert size == len((await machine.get(f"{base}/boot.iso")).content)


async def test_the_first_file_of_a_machine_booted_from_media_is_news(
    machine: httpx.AsyncClient, database: Database, vault: Vault
) -> None:
    hall = await open_hall(database, vault, boot_method="virtual-media")
    base = await base_of(hall)
    await machine.get(f"{base}/preseed.cfg")
    assert (await hall.state())[0] == "booted"
    assert await hall.signals() == 1


async def test_the_boot_image_can_be_read_in_parts(machine: httpx.AsyncClient, hall: Hall) -> None:
    url = f"{await base_of(hall)}/boot.iso"
    whole = (await machine.get(url)).content
    size = len(whole)

    async def part(asked: str) -> httpx.Response:
        return await machine.get(url, headers={"Range": asked})

    first = await part("bytes=0-2047")
    assert (first.status_code, first.content) == (206, whole[:2048])
    assert first.headers["content-range"] == f"bytes 0-2047/{size}"
    assert (await part("bytes=32768-34815")).content == whole[32768:34816]
    assert (await part(f"bytes={size - 10}-")).content == whole[-10:]
    assert (await part(f"bytes={size - 10}-{size + 10}")).content == whole[-10:]
    assert (await part("bytes=-10")).content == whole[-10:]
    beyond = await part(f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for odd in ("bytes=-", "bytes=0-1,5-6", "lines=1-2", "nonsense"):
        answer = await part(odd)
        assert (answer.status_code, len(answer.content)) == (200, size)
