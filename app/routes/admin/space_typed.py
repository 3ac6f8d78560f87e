"""What was typed into the forms of the address space, as the verbs take it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from app.components.admin.decide import REASON
from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.find import find_account_by_email
from app.domain.addresses.by_hand import HandClaim
from app.domain.addresses.seed import PrefixSeed, VlanGroupSeed
from app.domain.addresses.states import PrefixStatus
from app.ipam.choice import Strategy
from app.routes.admin.reasons import reason_fault, reason_of

LONGEST = 200
LONGEST_COOLDOWN_S = 31_536_000
LAST_VID = 4094


E = TypeVar("E", bound=StrEnum)


class Entries:
    """Reads fields one after another and keeps what is wrong with each."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.faults: dict[str, str] = {}

    def text(self, name: str, *, needed: str = "") -> str:
        """Return a line of text; `needed` is the fault of an empty one."""
        value = self._values.get(name, "").strip()
        if not value and needed:
            self.faults[name] = needed
        if len(value) > LONGEST:
            self.faults[name] = f"At most {LONGEST} characters; this has {len(value)}."
        return value

    def number(self, name: str, *, low: int, high: int) -> int:
        value = self._values.get(name, "").strip()
        if not (value.isascii() and value.isdecimal() and len(value) < 12):
            self.faults[name] = f"Type a whole number from {low:,} to {high:,}."
            return low
        if not low <= int(value) <= high:
            self.faults[name] = f"{low:,} to {high:,}."
        return int(value)

    def one_of(self, name: str, kind: type[E]) -> E:
        value = self._values.get(name, "")
        if value not in set(kind):
            self.faults[name] = "Choose one."
            return next(iter(kind))
        return kind(value)

    def is_ticked(self, name: str) -> bool:
        return name in self._values

    def reason(self) -> str:
        """Return the reason that a person gives; "" of one that is wrong."""
        try:
            return reason_of(self._values)
        except Invalid as refusal:
            self.faults |= refusal.fields
            return ""

    def require_all(self) -> None:
        """Raise Invalid when anything that was read is wrong."""
        if self.faults:
            raise Invalid(self.faults)


def prefix_of(values: Mapping[str, str], *, network: str = "", vrf: str = "") -> PrefixSeed:
    """Return the prefix that was typed; one that is known keeps `network` and `vrf`.

    Raises Invalid.
    """
    entries = Entries(values)
    seed = PrefixSeed(
        network=network or entries.text("network", needed="Type a network, as 192.0.2.0/24."),
        vrf=vrf if network else entries.text("vrf"),
        status=entries.one_of("status", PrefixStatus),
        datacentre=entries.text("datacentre", needed="Choose one."),
        rack=entries.text("rack") or None,
        gateway=entries.text("gateway") or None,
        purpose=entries.text("purpose", needed="Name its role; the usual one is primary."),
        auto_allocatable=entries.is_ticked("auto_allocatable"),
        strategy=entries.one_of("strategy", Strategy),
        cooldown_s=entries.number("cooldown_s", low=0, high=LONGEST_COOLDOWN_S),
        note=entries.text("note"),
        vlan_group=entries.text("vlan_group") or None,
        vid=entries.number("vid", low=1, high=LAST_VID) if entries.text("vid") else None,
        forward_zone=entries.text("forward_zone"),
        reverse_zone=entries.text("reverse_zone"),
        check_first=entries.is_ticked("check_first"),
        reserved=tuple(
            part.strip() for part in values.get("reserved", "").split(",") if part.strip()
        ),
    )
    entries.require_all()
    return seed


def values_of(prefix: PrefixSeed) -> dict[str, str]:
    """Return a prefix as it would be typed."""
    values = {
        "status": prefix.status or "",
        "datacentre": prefix.datacentre,
        "rack": prefix.rack or "",
        "gateway": prefix.gateway or "",
        "reserved": ", ".join(prefix.reserved),
        "purpose": prefix.purpose,
        "strategy": prefix.strategy,
        "cooldown_s": str(prefix.cooldown_s),
        "vlan_group": prefix.vlan_group or "",
        "vid": str(prefix.vid or ""),
        "forward_zone": prefix.forward_zone,
        "reverse_zone": prefix.reverse_zone,
        "note": prefix.note,
    }
    ticked = {name: "on" for name in ("auto_allocatable", "check_first") if getattr(prefix, name)}
    return values | ticked


def vlan_group_of(values: Mapping[str, str], *, name: str = "") -> VlanGroupSeed:
    """Return the VLAN group that was typed. Raises Invalid."""
    entries = Entries(values)
    seed = VlanGroupSeed(
        name=name or entries.text("name", needed="Give it a name."),
        datacentre=entries.text("datacentre", needed="Choose one."),
        rack=entries.text("rack") or None,
        first_vid=entries.number("first_vid", low=1, high=LAST_VID),
        last_vid=entries.number("last_vid", low=1, high=LAST_VID),
        auto_allocatable=entries.is_ticked("auto_allocatable"),
    )
    entries.require_all()
    return seed


async def terms_of(tx: Tx, values: Mapping[str, str]) -> HandClaim:
    """Return for whom, why and until when something is claimed or kept. Raises Invalid."""
    entries = Entries(values)
    reason = " ".join(values.get(REASON, "").split())
    if fault := reason_fault(reason, what="Say what it is for; it is shown with it."):
        entries.faults[REASON] = fault
    client = await client_typed(tx, entries)
    expires_at = _midnight(entries)
    purpose = entries.text("purpose")
    entries.require_all()
    return HandClaim(reason=reason, client=client, purpose=purpose, expires_at=expires_at)


async def client_typed(tx: Tx, entries: Entries) -> UUID | None:
    """Return the account whose e-mail address was typed as `client`; None for none."""
    email = entries.text("client")
    if not email:
        return None
    account = await find_account_by_email(tx, email)
    if account is None:
        entries.faults["client"] = f"There is no account {email}."
        return None
    return account.id


def _midnight(entries: Entries) -> datetime | None:
    text = entries.text("expires_at")
    if not text:
        return None
    day = day_of(text)
    if day is None:
        entries.faults["expires_at"] = "Type a day, as 2027-01-31."
        return None
    return datetime.combine(day, time(), UTC)


def day_of(text: str) -> date | None:
    """Return a day, or None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
