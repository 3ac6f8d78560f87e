"""Kea by its control socket: one command a connection, in JSON."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from app.drivers.dhcp.contract import DhcpPlan
from app.drivers.dhcp.kea import Config, facts_of, is_ours, put_in_place, subnets_of
from app.drivers.errors import Refused, Unanswered, Unreachable

ANSWER_S = 20.0
"""A configuration of 10,000 hosts is read, checked and put in place within seconds."""
CHUNK_BYTES = 64 * 1024
LARGEST_BYTES = 64 * 1024 * 1024


class _Answer(msgspec.Struct, frozen=True):
    result: int
    text: str = ""
    arguments: dict[str, Any] = {}


class KeaSocket:
    """Adapter of `app.drivers.dhcp.contract.DhcpServer`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def push(self, plan: DhcpPlan) -> bool:
        now = (await self._command("config-get"))["Dhcp4"]
        self._require_apart(now, plan)
        wanted = put_in_place(now, plan)
        # What `config-get` adds, and `config-set` does not take.
        wanted.pop("hash", None)
        if facts_of(now) == facts_of(wanted):
            return False
        arguments = {"Dhcp4": wanted}
        await self._command("config-test", arguments)
        await self._command("config-set", arguments)
        told = (await self._command("config-get"))["Dhcp4"]
        if facts_of(told) != facts_of(wanted):
            reason = "it took the configuration and says something else since"
            raise Refused(self._peer, field="subnet4", reason=reason)
        return True

    async def keep(self) -> None:
        """Have it write its configuration to its file, which a restart reads."""
        await self._command("config-write")

    @property
    def _peer(self) -> str:
        return str(self._path)

    def _require_apart(self, config: Config, plan: DhcpPlan) -> None:
        """Raise Refused where somebody else's subnet is one of ours."""
        ours = {one["subnet"] for one in subnets_of(plan)}
        for one in config.get("subnet4", []):
            if not is_ours(one) and one["subnet"] in ours:
                reason = "it is in Kea's configuration by another hand; take it out there"
                raise Refused(self._peer, field=one["subnet"], reason=reason)

    async def _command(self, name: str, arguments: Config | None = None) -> dict[str, Any]:
        asked = {"command": name} | ({"arguments": arguments} if arguments else {})
        try:
            async with asyncio.timeout(ANSWER_S):
                raw = await self._exchange(msgspec.json.encode(asked))
        except TimeoutError as error:
            raise Unanswered(self._peer, f"no answer to {name} within {ANSWER_S:g} s") from error
        except OSError as error:
            raise Unreachable(self._peer, error.strerror or str(error)) from error
        try:
            answer = msgspec.json.decode(raw, type=_Answer)
        except msgspec.MsgspecError as error:
            raise Unanswered(self._peer, f"its answer to {name} cannot be read") from error
        if answer.result != 0:
            raise Refused(self._peer, field=name, reason=answer.text)
        return answer.arguments

    async def _exchange(self, asked: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self._path))
        try:
            writer.write(asked)
            await writer.drain()
            writer.write_eof()
            raw = bytearray()
            while chunk := await reader.read(CHUNK_BYTES):
                raw += chunk
                if len(raw) > LARGEST_BYTES:
                    raise Unanswered(self._peer, "its answer is too large")
                if raw.endswith(b"}") and _is_whole(raw):
                    break
            return bytes(raw)
        finally:
            writer.close()


def _is_whole(raw: bytearray) -> bool:
    """Kea ends no answer by anything but its last brace, and leaves the connection open."""
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True
