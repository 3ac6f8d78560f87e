"""Ironic's REST API by the SDK's proxy: paths in, JSON out, errors ours.

The proxy does the signing in, the catalogue and the versions. Its resource classes are left alone:
they keep the peer's words to themselves, poll in sleeps, and warn of their own use.
"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from app.drivers.egress import Egress
from app.drivers.errors import Refused
from app.drivers.hide import Hider
from app.drivers.metal.contract import (
    ApplicationLogin,
    BasicLogin,
    KeystoneLogin,
    MetalPeer,
)
from app.drivers.metal.ironic.line import CALL_S, Lines
from app.drivers.metal.ironic.words import refusal, translate

VERSION = "1.81"
"""Of 2023.1; what is newer still speaks it."""


class Api:
    """Requests to one cloud."""

    def __init__(self, peer: MetalPeer, egress: Egress) -> None:
        self.name = peer.name
        self._lines = Lines(peer, egress)
        self._secrets = _secrets(peer)

    async def get(self, path: str, **query: str) -> Any:
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: dict[str, Any], *, secrets: Sequence[str] = ()) -> Any:
        """`secrets` are in the body: they are taken out of what it says to that."""
        return await self._call("POST", path, secrets, json=body)

    async def put(self, path: str, body: dict[str, Any]) -> Any:
        return await self._call("PUT", path, json=body)

    async def delete(self, path: str) -> None:
        await self._call("DELETE", path)

    async def patch(
        self, path: str, changes: dict[str, Any], *, secrets: Sequence[str] = ()
    ) -> Any:
        """Set what is named by its JSON pointer; None takes it away."""
        steps = [
            {"op": "remove", "path": where}
            if value is None
            else {"op": "add", "path": where, "value": value}
            for where, value in changes.items()
        ]
        return await self._call("PATCH", path, secrets, json=steps)

    async def _call(self, method: str, path: str, secrets: Sequence[str] = (), **more: Any) -> Any:
        """Return the answer's JSON, None where it is empty. Raises DriverError."""
        hider = Hider([*self._secrets, *secrets])

        def work(proxy: Any) -> tuple[int, str]:
            # Left to itself the SDK sleeps and asks again, five times, where a node is locked.
            answer = proxy.request(
                path,
                method,
                microversion=VERSION,
                raise_exc=False,
                log=False,
                status_code_retries=0,
                connect_retries=0,
                **more,
            )
            return answer.status_code, answer.text

        try:
            status, text = await self._lines.call(work, deadline_s=CALL_S)
        except Exception as error:
            raise translate(self.name, error, hider) from error
        if status >= 300:
            raise refusal(self.name, status, text, hider)
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise Refused(self.name, field="url", reason="what answers there is no API") from error

    def close(self) -> None:
        self._lines.close()


def node_path(node: str) -> str:
    return f"/nodes/{quote(node, safe='')}"


def _secrets(peer: MetalPeer) -> list[str]:
    match peer.login:
        case BasicLogin(_, password):
            return [password.reveal()]
        case KeystoneLogin() as login:
            return [login.password.reveal()]
        case ApplicationLogin() as login:
            return [login.secret.reveal()]
        case _:
            return []
