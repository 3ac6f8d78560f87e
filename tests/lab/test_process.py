"""The lab as a process: commands, mail, pages, restarts, and what it leaves behind."""

import asyncio
import os
import signal
import socket
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from tests.drivers.process import free_port
from tests.lab.conftest import PASSWORD, ROOT, SSH_PORT, Lab, Slipway, command, start_lab
from tests.lab.test_delivery import log_in


async def run(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command(*arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@example.org", to, "Grüße"
    message.set_content("plain part")
    message.add_alternative("<p>html <script>alert(1)</script></p>", subtype="html")
    return message


async def test_commands(lab: Lab) -> None:
    name, folder = lab.machines[2]["name"], str(lab.folder)
    (code, out), (_, listed), (bad, refused) = await asyncio.gather(
        run("fault", folder, name, "slow:1"),
        run("status", folder),
        run("fault", folder, name, "explode"),
    )
    assert (code, out) == (0, f"{name}: slow:1\n")
    assert name in listed
    assert bad == 1
    assert "There is no fault 'explode'" in refused
    await lab.fault(2, None)


async def test_mailbox_keeps_and_shows_mail(lab: Lab) -> None:
    port = lab.facts["smtp"]["port"]
    for to in ("a@example.org", "b@example.org"):
        await aiosmtplib.send(letter(to), hostname="127.0.0.1", port=port)
    assert len(await lab.get("/api/mailbox")) == 2
    [kept] = await lab.get("/api/mailbox?to=A@example.org")
    assert kept["subject"] == "Grüße"
    opened = await lab.get(f"/api/mailbox/{kept['id']}")
    assert opened["text"] == "plain part\n"
    assert "<p>html" in opened["html"]
    async with lab.session.get(f"{lab.facts['url']}/mailbox/{kept['id']}/html") as answer:
        assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    async with lab.session.get(f"{lab.facts['url']}/mailbox/{kept['id']}") as answer:
        page = await answer.text()
    assert 'sandbox=""' in page
    assert "<script>alert" not in page
    async with lab.session.get(f"{lab.facts['url']}/api/mailbox/..%2flab") as answer:
        assert answer.status == 404


async def test_mail_down(lab: Lab) -> None:
    port = lab.facts["smtp"]["port"]
    await lab.post("/api/mail-down", {"mail_down": "on"})
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
        await aiosmtplib.send(letter("a@example.org"), hostname="127.0.0.1", port=port)
    assert refused.value.code == 451
    await lab.post("/api/mail-down", {"mail_down": "refuse"})
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await aiosmtplib.send(letter("a@example.org"), hostname="127.0.0.1", port=port)
    await lab.post("/api/mail-down", {"mail_down": "off"})
    await aiosmtplib.send(letter("a@example.org"), hostname="127.0.0.1", port=port)


async def test_pages_and_forms(lab: Lab) -> None:
    url, name = lab.facts["url"], lab.machines[2]["name"]
    for path in ("/", f"/machines/{name}", "/mailbox", "/lab.css", "/lab.js"):
        async with lab.session.get(url + path) as answer:
            assert answer.status == 200, path
    async with lab.session.post(f"{url}/machines/{name}/fault", data={"fault": "slow:2"}) as answer:
        assert "selected>slow:2</option>" in await answer.text()
    async with lab.session.post(f"{url}/machines/{name}/fault", data={"fault": "clear"}) as answer:
        assert "selected>slow:2" not in await answer.text()
    async with lab.session.get(f"{url}/mirror/debian-12/vmlinuz") as answer:
        assert len(await answer.read()) == 32_768
    for path in ("/mirror/debian-12/none", "/mirror/windows/vmlinuz", "/api/machines/none"):
        async with lab.session.get(url + path) as answer:
            assert answer.status == 404, path
    assert (await lab.get("/healthz"))["machines"] == 3


async def test_a_second_lab_on_the_folder_is_refused(lab: Lab) -> None:
    code, out = await run("serve", "--dir", str(lab.folder), "--slipway-url", "http://127.0.0.1:9")
    assert code == 1
    assert "already uses" in out


async def test_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, out = await run(
            *("serve", "--dir", str(tmp_path), "--slipway-url", "http://127.0.0.1:9"),
            *("--smtp-port", port),
        )
    assert code == 1
    assert f"SMTP port {port} cannot be used" in out
    assert not (tmp_path / "lab.json").exists()


async def test_restart_keeps_the_datacentre(slipway: Slipway, tmp_path: Path) -> None:
    first = await start_lab(tmp_path, slipway.url, "--ssh-port", str(free_port()))
    script = slipway.offer_debian("tok-r", "127.16.0.13", first.facts["mirror_url"])
    slipway.pages["/netboot/ipxe"] = script.encode()
    await first.netboot(0)
    await first.until(0, lambda m: m["phase"] == "running")
    await first.fault(1, "wrong-password")
    await first.stop()
    assert first.process.returncode == 0
    assert not (tmp_path / "lab.json").exists()

    second = await start_lab(tmp_path, slipway.url, "--ssh-port", str(SSH_PORT))
    assert second.machines == first.machines
    machine = await second.until(0, lambda m: m["phase"] == "running")
    assert machine["power"] == "on"
    assert (await second.machine(1))["fault"] == "wrong-password"
    assert await log_in("127.16.0.13", PASSWORD, "hostname") == "tok-r\n"

    # Killed hard, the emulator goes with it.
    emulators = children(second.process.pid)
    assert len(emulators) == 1
    await second.stop(signal.SIGKILL)
    async with asyncio.timeout(30):
        while any(alive(pid) for pid in emulators):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
