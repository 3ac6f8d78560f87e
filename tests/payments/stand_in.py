"""The stand-in of Stripe as a process of its own."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent.parent
WEBHOOK_SECRET = "whsec_slipway_tests"
PAYS, DECLINED, ASKS = "4242424242424242", "4000000000000341", "4000002500003155"


@dataclass
class StandIn:
    folder: Path
    process: asyncio.subprocess.Process
    facts: dict[str, Any]
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        return str(self.facts["url"])

    async def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call localstripe with the secret key."""
        return await self.http.request(
            method, self.facts["api_url"] + path, auth=(self.facts["secret_key"], ""), **more
        )

    async def intent(self, *, key: str | None = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        fields = {"amount": "4900", "currency": "eur"}
        answer = await self.api("POST", "/v1/payment_intents", data=fields, headers=headers)
        assert answer.status_code == 200
        return answer.json()

    async def confirm(self, client_secret: str, number: str, *, key: str | None = None) -> Any:
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        document = {
            "key": key or self.facts["publishable_key"],
            "client_secret": client_secret,
            "card": card,
        }
        return (await self.http.post(f"{self.url}/api/confirm", json=document)).json()

    async def authenticate(self, client_secret: str, *, success: bool) -> Any:
        key = self.facts["publishable_key"]
        document = {"key": key, "client_secret": client_secret, "success": success}
        return (await self.http.post(f"{self.url}/api/authenticate", json=document)).json()

    async def webhooks(self, mode: str, late_s: float = 5.0) -> None:
        document = {"mode": mode, "late_s": late_s}
        (await self.http.post(f"{self.url}/api/webhooks", json=document)).raise_for_status()

    async def deliveries(self, ref: str) -> list[dict[str, Any]]:
        log = (await self.http.get(f"{self.url}/api/webhooks")).json()
        return [each for each in log["deliveries"] if each["ref"] == ref]

    async def succeeded(self) -> list[str]:
        """Return the payments that were charged."""
        listed = await self.api("GET", "/v1/payment_intents", params={"limit": "100"})
        return [each["id"] for each in listed.json()["data"] if each["status"] == "succeeded"]

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.returncode is None:
            self.process.send_signal(number)
        said, _ = await self.process.communicate()
        await self.http.aclose()
        for word in (b"Traceback", b"Warning", b"ERROR"):
            assert word not in said, said.decode()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lab.payments", *arguments]


async def start(folder: Path, webhook_url: str, *options: str) -> StandIn:
    process = await asyncio.create_subprocess_exec(
        *command("serve", "--dir", str(folder), "--webhook-url", webhook_url),
        *("--webhook-secret", WEBHOOK_SECRET, "--die-with-parent", *options),
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "default"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(30):
        while b"payments ready" not in said:
            line = await process.stdout.readline()
            said += line
            assert line, said.decode()
    facts = json.loads((folder / "payments.json").read_bytes())
    return StandIn(folder, process, facts, httpx.AsyncClient(trust_env=False, timeout=10))
