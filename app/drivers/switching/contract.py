"""The contract of a switch: its ports and VLANs are read, and a port is put into VLANs."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from app.drivers.secret import Secret
from app.drivers.switching.vids import FIRST, LAST, read_vids, write_vids


class SwitchAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A switch and how it lets us in. Its host key is known beforehand, or it is not spoken to."""

    name: str
    """What errors call it."""
    dialect: str
    """Which commands it knows: one of `app.drivers.switching.dialects.DIALECTS`."""
    host: str
    port: int = 22
    username: str
    password: Secret
    enable_password: Secret | None = None
    """Where the account has to ask for its rights."""
    host_key: str
    """`ssh-ed25519 AAAA…`"""


class PortVlans(msgspec.Struct, frozen=True, kw_only=True):
    """The VLANs of a port: frames without a tag belong to `untagged`, and `tagged` come tagged."""

    untagged: int | None
    """None: frames without a tag go nowhere."""
    tagged: str = ""
    """As switches write them, `10,20-30`; "" for an access port."""

    @property
    def tagged_vids(self) -> frozenset[int]:
        return read_vids(self.tagged)

    @property
    def vids(self) -> frozenset[int]:
        """All of them."""
        return self.tagged_vids | ({self.untagged} if self.untagged else set())

    @property
    def words(self) -> str:
        """Say it for people."""
        base = f"VLAN {self.untagged}" if self.untagged else "no VLAN without a tag"
        return f"{base}, tagged {self.tagged}" if self.tagged else base


def port_vlans(untagged: int | None, tagged: str = "") -> PortVlans:
    """Return checked VLANs in their canonical form. Raises ValueError."""
    if untagged is not None and not FIRST <= untagged <= LAST:
        raise ValueError(f"{untagged} is no VLAN id: give {FIRST} to {LAST}")
    vids = read_vids(tagged) - ({untagged} if untagged else set())
    if untagged is None and not vids:
        raise ValueError("a port needs a VLAN, with or without a tag")
    return PortVlans(untagged=untagged, tagged=write_vids(vids))


class SwitchPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port as the switch tells it."""

    name: str
    """In the switch's own words: `Gi1/0/7`, `Ethernet7`."""
    description: str = ""
    is_up: bool = False
    vlans: PortVlans | None
    """None where it is no port of VLANs, but routed or a member of something larger."""


class SwitchState(msgspec.Struct, frozen=True, kw_only=True):
    """What a switch says of itself."""

    vlans: Mapping[int, str]
    """Names by id."""
    ports: tuple[SwitchPort, ...]

    def port(self, name: str) -> SwitchPort | None:
        """Return the port of that name, which may be written short or long (`Gi1/0/7`)."""
        wanted = key_of(name)
        return next((port for port in self.ports if same_port(key_of(port.name), wanted)), None)


class PortChange(msgspec.Struct, frozen=True, kw_only=True):
    """One port, as it is and as it is to be; equal when there is nothing to do."""

    port: str
    before: PortVlans
    after: PortVlans


class SwitchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do: nothing was changed."""

    changes: tuple[PortChange, ...]
    """Only ports that differ."""
    commands: tuple[str, ...]
    """In the order in which the switch would get them; none when nothing differs."""

    def change(self, name: str) -> PortChange | None:
        """Return the change of a port, by a name that may be written short or long."""
        wanted = key_of(name)
        return next((one for one in self.changes if same_port(key_of(one.port), wanted)), None)


class Switches(Protocol):
    """Reads and changes switches. Raises only `DriverError`s.

    One call is one session, of at most `DEADLINE_S`; a call that is cancelled closes it. Calls at
    one switch are the caller's to keep apart.
    """

    async def read(self, switch: SwitchAddress) -> SwitchState:
        """Return its ports and VLANs."""
        ...

    async def plan(self, switch: SwitchAddress, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        """Return what `apply` would do now; changes nothing. Raises Refused on a port."""
        ...

    async def apply(self, switch: SwitchAddress, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        """Put ports into VLANs, which are made where the switch lacks them, and keep it so.

        Returns what was done, once the switch was read again and says so. What it took and did
        not follow is Refused, and not written to its start-up configuration. Idempotent.
        """
        ...

    async def close(self) -> None:
        """Begin no further session."""
        ...


def key_of(name: str) -> tuple[str, str]:
    """Return the letters and the numbers of a port's name: `Gi 1/0/7` is `("gi", "1/0/7")`."""
    plain = name.replace(" ", "").lower()
    letters = plain.rstrip("0123456789/.:-")
    return letters, plain[len(letters) :]


def same_port(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Say whether two keys are of one port; a name may be cut short, or be the number alone."""
    return one[1] == other[1] and (one[0].startswith(other[0]) or other[0].startswith(one[0]))
