"""A small, strict iPXE: runs a boot script and says what it ends in.

Source of the language: ipxe.org/scripting and ipxe.org/cmd. What is not known here
is an error, as it is in iPXE ("command not found"), never skipped.
"""

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

MAX_STEPS = 1_000
MAX_CHAIN = 16
MAGIC = "#!ipxe"
SETTING = re.compile(r"\$\{([^}]*)\}")
OPTION = re.compile(r"^-{1,2}[a-z]")
TAKES_VALUE = frozenset({"--name", "-n", "--timeout", "-t", "--drive", "-d", "--filename", "-f"})


class BootError(Exception):
    """The script cannot go on; the message is what iPXE shows on the console."""


@dataclass(frozen=True, slots=True)
class BootKernel:
    """`boot`: start the kernel. Sizes are those of the images that were fetched."""

    kernel_url: str
    arguments: tuple[str, ...]
    initrd_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaveToFirmware:
    """`exit`: back to the firmware, which goes on to the next boot device."""

    status: int = 0


@dataclass(frozen=True, slots=True)
class BootDisk:
    """`sanboot --drive 0x80`: the first disk."""


Outcome = BootKernel | LeaveToFirmware | BootDisk

Fetch = Callable[[str], Awaitable[bytes]]
"""Returns the body behind an absolute URL, or raises BootError."""


@dataclass(slots=True)
class Ipxe:
    """One run of iPXE with its settings (`net0/mac`, `uuid`, `serial`, …) and images."""

    fetch: Fetch
    show: Callable[[str], None]
    settings: dict[str, str]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    lease: Mapping[str, str] = field(default_factory=dict)
    """What `dhcp` gets, by setting of a card: `ip`, `netmask`, …"""
    is_online: bool = True
    """Whether it has an address yet; only who was loaded over PXE has one from the start."""
    _is_open: bool = False
    _base: str = ""
    _kernel: tuple[str, tuple[str, ...]] | None = None
    _initrds: list[str] = field(default_factory=list)
    _steps: int = 0
    _depth: int = 0

    async def run(self, script: str, *, url: str = "") -> Outcome:
        """Run a script that came from `url`; relative URLs are resolved against it."""
        lines = script.splitlines()
        if not lines or not lines[0].strip().startswith(MAGIC):
            raise BootError("Could not boot: Exec format error (no #!ipxe in the first line)")
        outer, self._base = self._base, url or self._base
        labels = {line.strip()[1:].strip(): at for at, line in enumerate(lines)
                  if line.strip().startswith(":")}  # fmt: skip
        at = 1
        try:
            while at < len(lines):
                line = lines[at].strip()
                at += 1
                if not line or line.startswith(("#", ":")):
                    continue
                self._steps += 1
                if self._steps > MAX_STEPS:
                    raise BootError(f"Script stopped after {MAX_STEPS} commands: it loops")
                result = await self._line(line)
                if isinstance(result, str):
                    if result not in labels:
                        raise BootError(f"{result}: no such label")
                    at = labels[result]
                elif result is not None:
                    return result
        finally:
            self._base = outer
        return LeaveToFirmware()

    async def _line(self, line: str) -> Outcome | str | None:
        """Run `a || b && c`; a failure that nothing catches ends the script."""
        try:
            words = shlex.split(line, comments=False)
        except ValueError as problem:
            raise BootError(f"{line}: {problem}") from None
        failure: BootError | None = None
        for operator, command in _alternatives(words):
            if (operator == "||") != (failure is not None) and operator:
                continue
            failure = None
            if not command:
                continue
            try:
                result = await self._command([self._expand(word) for word in command])
            except BootError as problem:
                failure = problem
                self.show(str(problem))
                continue
            if result is not None:
                return result
        if failure is not None:
            raise failure
        return None

    async def _command(self, words: list[str]) -> Outcome | str | None:  # noqa: C901, PLR0912 - one arm a command reads best as one table
        name, options, rest = _split(words)
        match name:
            case "set":
                self._set(_one(name, rest[:1]), " ".join(rest[1:]))
            case "clear":
                self._clear(_one(name, rest))
            case "isset":
                if not rest or not rest[0]:
                    raise BootError("isset: not set")
            case "iseq":
                if len(rest) != 2 or rest[0] != rest[1]:
                    raise BootError("iseq: not equal")
            case "echo":
                self.show(" ".join(rest))
            case "sleep":
                await self.sleep(float(_one(name, rest)) if rest[0].isdecimal() else 0.0)
            case "dhcp" | "ifconf":
                for key, value in self.lease.items():
                    self.settings[f"netX/{key}"] = value
                self.is_online = True
            case "ifopen":
                self._is_open = True
            case "imgstat" | "ifstat" | "iflinkwait" | "route" | "vcreate":
                pass
            case "imgfree":
                self._kernel, self._initrds = None, []
            case "kernel" | "imgselect" | "imgload":
                url = self._url(name, rest)
                await self._load(url)
                self._kernel = (url, tuple(rest[1:]))
            case "imgargs":
                if self._kernel is None:
                    raise BootError("imgargs: no image")
                self._kernel = (self._kernel[0], tuple(rest[1:]))
            case "initrd" | "module":
                url = self._url(name, rest)
                await self._load(url)
                self._initrds.append(url)
            case "boot":
                return self._boot()
            case "chain" | "autoboot":
                return await self._chain(self._url(name, rest))
            case "sanboot":
                if rest:
                    raise BootError(f"sanboot: {rest[0]}: only the local disk can be booted")
                if options.get("--drive", options.get("-d", "0x80")) != "0x80":
                    raise BootError("sanboot: no such drive")
                return BootDisk()
            case "goto":
                return _one(name, rest)
            case "exit":
                return LeaveToFirmware(int(rest[0]) if rest and rest[0].isdecimal() else 0)
            case "shell" | "prompt" | "menu" | "choose":
                raise BootError(f"{name}: there is nobody at the console")
            case _:
                raise BootError(f"{name}: command not found")
        return None

    def _boot(self) -> BootKernel:
        if self._kernel is None:
            raise BootError("boot: no kernel was loaded")
        url, arguments = self._kernel
        return BootKernel(url, arguments, tuple(self._initrds))

    async def _chain(self, url: str) -> Outcome | None:
        """Run another script; its `exit` leads back here, as a failure when it has a status."""
        self._depth += 1
        if self._depth > MAX_CHAIN:
            raise BootError(f"chain: more than {MAX_CHAIN} scripts deep")
        body = await self._load(url)
        outcome = await self.run(body.decode(errors="replace"), url=url)
        self._depth -= 1
        if not isinstance(outcome, LeaveToFirmware):
            return outcome
        if outcome.status:
            raise BootError(f"chain: {url}: the script ended with status {outcome.status}")
        return None

    def _set(self, name: str, value: str) -> None:
        self.settings[name] = value
        card, _, key = name.rpartition("/")
        if card.startswith("net"):
            self.settings[f"netX/{key}"] = value
            self.is_online |= self._is_open and key == "ip"

    def _clear(self, name: str) -> None:
        self.settings.pop(name, None)
        if name.startswith("net") and name.endswith("/ip"):
            self.is_online = False

    async def _load(self, url: str) -> bytes:
        self.show(f"{url}...")
        if not self.is_online:
            raise BootError(f"{url}: Network unreachable: no card has an address")
        body = await self.fetch(url)
        if not body:
            raise BootError(f"{url}: empty image")
        self.show(f"{url}... ok ({len(body)} bytes)")
        return body

    def _url(self, command: str, rest: list[str]) -> str:
        url = urljoin(self._base, _one(command, rest[:1]))
        if urlsplit(url).scheme not in ("http", "https"):
            raise BootError(f"{command}: {url}: not supported (only http and https)")
        return url

    def _expand(self, word: str) -> str:
        def value(match: re.Match[str]) -> str:
            name, _, kind = match[1].partition(":")
            text = self.settings.get(name, "")
            return text.replace(":", "-") if kind == "hexhyp" else text

        return SETTING.sub(value, word)


def _alternatives(words: list[str]) -> list[tuple[str, list[str]]]:
    """Split at `||` and `&&`: the operator before each command, and its words."""
    groups: list[tuple[str, list[str]]] = [("", [])]
    for word in words:
        if word in ("||", "&&"):
            groups.append((word, []))
        else:
            groups[-1][1].append(word)
    return groups


def _split(words: list[str]) -> tuple[str, dict[str, str], list[str]]:
    """Return the command, its own options, and the words after them."""
    name, *rest = words
    options: dict[str, str] = {}
    while rest and OPTION.match(rest[0]) and name not in ("echo", "set"):
        key, equals, value = rest.pop(0).partition("=")
        if not equals and key in TAKES_VALUE and rest:
            value = rest.pop(0)
        options[key] = value
    return name, options, rest


def _one(command: str, rest: list[str]) -> str:
    if len(rest) != 1 or not rest[0]:
        raise BootError(f"{command}: wrong number of arguments")
    return rest[0]
