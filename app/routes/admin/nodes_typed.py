"""Read what was typed about servers at clouds of bare metal."""

import re
from collections.abc import Mapping
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.inventory.read_struct import read_struct
from app.domain.metal.want import Adopt, Enrol

_PAIR = re.compile(r"([A-Za-z0-9_]+)\s*=\s*(\S.*)")


async def read_server(tx: Tx, values: Mapping[str, str]) -> UUID:
    """Return the server of the name that was typed. Raises Invalid."""
    name = values.get("server", "").strip()
    server: UUID | None = await tx.fetchval("SELECT id FROM server WHERE name = $1", name)
    if server is None:
        raise Invalid({"server": f"There is no server {name}." if name else "Name a server."})
    return server


def read_enrol(values: Mapping[str, str]) -> Enrol:
    """Return the enrolment that was typed. Raises Invalid."""
    ca = values.get("ca", "check")
    if ca == "path":
        ca = values.get("ca_path", "").strip()
        if not ca.startswith("/"):
            raise Invalid({"ca_path": "Give the path of a file on the conductor."})
    elif ca not in {"check", "any"}:
        raise Invalid({"ca": "Choose one of those that are offered."})
    facts = {
        "name": values.get("name", "").strip() or values.get("server", "").strip(),
        "driver": values.get("driver", "").strip(),
        "resource_class": values.get("resource_class", "").strip(),
        "ca": ca,
        "interfaces": _pairs(values, "interfaces"),
        "driver_info": _pairs(values, "driver_info"),
    }
    ticked = {name: name in values for name in ("inspect", "offer", "stock")}
    if ticked["stock"] and not ticked["offer"]:
        raise Invalid({"stock": "Have it offered too: what is not cannot be sold."})
    return read_struct({"type": "enrol", **facts, **ticked}, Enrol)


def typed_of(want: Enrol, *, server: str, connection: str) -> dict[str, str]:
    """Return a form that says what an enrolment is, to change it."""
    is_path = want.ca not in {"check", "any"}
    ticked = {"inspect": want.inspect, "offer": want.offer, "stock": want.stock}
    return {
        "server": server,
        "connection": connection,
        "name": want.name,
        "driver": want.driver,
        "resource_class": want.resource_class,
        "ca": "path" if is_path else want.ca,
        "ca_path": want.ca if is_path else "",
        "interfaces": _lines(want.interfaces),
        "driver_info": _lines(want.driver_info),
        **{name: "on" for name, is_on in ticked.items() if is_on},
    }


def read_adopt(values: Mapping[str, str], node: str) -> Adopt:
    """Return the adoption that was typed. Raises Invalid."""
    facts = {"type": "adopt", "node": node, "how": values.get("how", "")}
    return read_struct({**facts, "inspect": "inspect" in values}, Adopt)


def _pairs(values: Mapping[str, str], field: str) -> dict[str, str]:
    found = {}
    for line in values.get(field, "").splitlines():
        if not line.strip():
            continue
        pair = _PAIR.fullmatch(line.strip())
        if pair is None:
            raise Invalid({field: f"{line.strip()[:60]} is no name=value."})
        found[pair[1]] = pair[2]
    return found


def _lines(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in pairs.items())
