"""The stand-in of Stripe: what localstripe has not, and that it leaves nothing behind."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.payments.stand_in import ASKS, DECLINED, PAYS, ROOT, StandIn, command, start


class Hook:
    """Takes webhooks as Slipway would."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["Stripe-Signature"])
        return web.Response()

    def of(self, ref: str) -> list[bytes]:
        return [
            body
            for body in self.bodies
            if f'"{ref}"'.encode() in body and b'"payment_intent.succeeded"' in body
        ]


@pytest.fixture(scope="module")
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


@pytest.fixture(scope="module")
async def stand_in(hook: Hook, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StandIn]:
    running = await start(tmp_path_factory.mktemp("payments"), hook.url)
    yield running
    await running.stop()
    assert running.process.returncode == 0
    assert not (running.folder / "payments.json").exists()


async def until(holds: Callable[[], Any], *, limit_s: float = 30.0) -> None:
    async with asyncio.timeout(limit_s):
        while not holds():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


async def test_a_key_starts_one_payment(stand_in: StandIn) -> None:
    first, second = await asyncio.gather(stand_in.intent(key="k1"), stand_in.intent(key="k1"))
    assert first["id"] == second["id"]
    assert (await stand_in.intent(key="k2"))["id"] != first["id"]
    other = {"amount": "1", "currency": "eur"}
    reused = await stand_in.api(
        "POST", "/v1/payment_intents", data=other, headers={"Idempotency-Key": "k1"}
    )
    assert (reused.status_code, reused.json()["error"]["type"]) == (400, "idempotency_error")


async def test_a_declined_card_and_then_another(stand_in: StandIn) -> None:
    secret = (await stand_in.intent())["client_secret"]
    error = (await stand_in.confirm(secret, DECLINED))["error"]
    assert (error["type"], error["code"]) == ("card_error", "card_declined")
    assert (await stand_in.confirm(secret, PAYS))["paymentIntent"]["status"] == "succeeded"
    again = (await stand_in.confirm(secret, PAYS))["error"]
    assert again["code"] == "payment_intent_unexpected_state"
    assert again["payment_intent"]["status"] == "succeeded"


async def test_3d_secure(stand_in: StandIn) -> None:
    secret = (await stand_in.intent())["client_secret"]
    assert (await stand_in.confirm(secret, ASKS))["paymentIntent"]["status"] == "requires_action"
    error = (await stand_in.authenticate(secret, success=False))["error"]
    assert error["code"] == "payment_intent_authentication_failure"
    for _ in range(2):  # a challenge that was left open is given up
        asked = (await stand_in.confirm(secret, ASKS))["paymentIntent"]
        assert asked["status"] == "requires_action"
    done = (await stand_in.authenticate(secret, success=True))["paymentIntent"]
    assert done["status"] == "succeeded"


async def test_only_with_the_right_key_and_secret(stand_in: StandIn) -> None:
    intent = await stand_in.intent()
    wrong_key = await stand_in.confirm(intent["client_secret"], PAYS, key="pk_test_other")
    wrong_secret = await stand_in.confirm(f"{intent['id']}_secret_other", PAYS)
    unknown = await stand_in.confirm("pi_none_secret_x", PAYS)
    assert "error" in wrong_key
    assert wrong_secret["error"]["code"] == unknown["error"]["code"] == "resource_missing"
    assert intent["id"] not in await stand_in.succeeded()


@pytest.mark.parametrize(("mode", "arrive"), [("on-time", 1), ("twice", 2), ("late", 1)])
async def test_webhooks_arrive_as_they_were_signed(
    stand_in: StandIn, hook: Hook, mode: str, arrive: int
) -> None:
    await stand_in.webhooks(mode, late_s=0.3)
    intent = await stand_in.intent()
    await stand_in.confirm(intent["client_secret"], PAYS)
    await until(lambda: len(hook.of(intent["id"])) == arrive)
    assert len(set(hook.of(intent["id"]))) == 1
    assert all(signature.startswith("t=") for signature in hook.signatures)

    def all_noted() -> bool:
        return [d["kind"] for d in noted] == ["payment_intent.succeeded"] and len(
            noted[0]["sent"]
        ) == arrive

    noted: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not all_noted():
            noted = await stand_in.deliveries(intent["id"])
    [delivery] = noted
    assert [sent["status"] for sent in delivery["sent"]] == [200] * arrive
    delay_s = delivery["sent"][0]["at"] - delivery["paid_at"]
    assert delay_s >= 0.9 + (0.3 if mode == "late" else 0)  # localstripe's own second


async def test_a_lost_webhook(stand_in: StandIn, hook: Hook) -> None:
    await stand_in.webhooks("lost")
    lost = await stand_in.intent()
    await stand_in.confirm(lost["client_secret"], PAYS)
    async with asyncio.timeout(30):
        while not await stand_in.deliveries(lost["id"]):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    await stand_in.webhooks("on-time")
    later = await stand_in.intent()
    await stand_in.confirm(later["client_secret"], PAYS)
    await until(lambda: hook.of(later["id"]))
    assert hook.of(lost["id"]) == []


async def test_its_files(stand_in: StandIn) -> None:
    library = await stand_in.http.get(stand_in.facts["js_url"])
    frame = await stand_in.http.get(stand_in.facts["js_url"] + "element.html")
    assert library.headers["content-type"].startswith("text/javascript")
    assert "unsafe-inline" not in frame.headers["content-security-policy"]
    assert (await stand_in.http.get(stand_in.facts["js_url"] + "..%2fweb.py")).status_code == 404
    assert (stand_in.folder / "payments.json").stat().st_mode & 0o077 == 0


async def test_a_second_on_the_folder_is_refused(stand_in: StandIn) -> None:
    process = await asyncio.create_subprocess_exec(
        *command("serve", "--dir", str(stand_in.folder), "--webhook-url", "http://127.0.0.1:9/"),
        *("--webhook-secret", "whsec_x"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert b"already uses" in said


async def test_restart_keeps_payments_and_a_kill_leaves_nobody(tmp_path: Path) -> None:
    first = await start(tmp_path, "http://127.0.0.1:9/")
    intent = await first.intent(key="kept")
    await first.stop()
    second = await start(tmp_path, "http://127.0.0.1:9/")
    assert second.facts["secret_key"] == first.facts["secret_key"]
    assert (await second.intent(key="kept"))["id"] == intent["id"]
    pid = second.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1
    await second.stop(signal.SIGKILL)
    await until(lambda: not any(alive(int(child)) for child in children))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):  # the file may go as it is looked for
        return False
