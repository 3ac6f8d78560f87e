"""What an API token may be made for: each scope is bounded by a permission of its owner's role."""

from enum import StrEnum

from app.domain.accounts.roles import Permission, Role, allows


class Scope(StrEnum):
    """One thing that a token lets a program do. Writing does not include reading."""

    FLOWS_READ = "flows:read"
    """Read flows, their versions and the node types."""
    FLOWS_WRITE = "flows:write"
    """Publish, bind, enable and disable flows."""
    RUNS_READ = "runs:read"
    """Read runs with what they did."""
    RUNS_WRITE = "runs:write"
    """Start, retry, resume, settle and cancel runs."""
    RUNS_DECIDE = "runs:decide"
    """Approve or reject what runs wait for; each asks for one role."""
    ADDRESSES_READ = "addresses:read"
    """Read prefixes, VLANs, reservations, and who has and had which address."""
    ADDRESSES_WRITE = "addresses:write"
    """Change these, and claim and release addresses by hand."""
    SERVERS_READ = "servers:read"
    """Read servers, racks, devices, ports and cables; of BMCs never their passwords."""
    SERVERS_WRITE = "servers:write"
    """Change, import, move and cable these, and take servers out of stock."""
    ALLOCATION_READ = "allocation:read"
    """Read why orders have their servers, who waits for one, and how long stock lasts."""
    ALLOCATION_WRITE = "allocation:write"
    """Give an order another server."""
    MACHINES_READ = "machines:read"
    """Read what providers say of virtual machines, and how these differ from services."""
    MACHINES_WRITE = "machines:write"
    """Have providers asked, and machines put right, given back or removed."""
    PROVIDERS_WRITE = "providers:write"
    """Group providers of virtual machines, drain them and take them up again."""


NEEDS = {
    Scope.FLOWS_READ: Permission.FLOWS_READ,
    Scope.FLOWS_WRITE: Permission.FLOWS_CHANGE,
    Scope.RUNS_READ: Permission.FLOWS_READ,
    Scope.RUNS_WRITE: Permission.RUNS_CHANGE,
    Scope.RUNS_DECIDE: Permission.FLOWS_READ,
    Scope.ADDRESSES_READ: Permission.ADDRESSES_READ,
    Scope.ADDRESSES_WRITE: Permission.ADDRESSES_CHANGE,
    Scope.SERVERS_READ: Permission.SERVERS_READ,
    Scope.SERVERS_WRITE: Permission.SERVERS_CHANGE,
    Scope.ALLOCATION_READ: Permission.SERVERS_READ,
    Scope.ALLOCATION_WRITE: Permission.SERVERS_CHANGE,
    Scope.MACHINES_READ: Permission.SERVICES_READ,
    Scope.MACHINES_WRITE: Permission.SERVICES_CHANGE,
    Scope.PROVIDERS_WRITE: Permission.CONNECTIONS_CHANGE,
}
"""The permission that the owner of a token needs for it to hold the scope."""

WORDS = {
    Scope.FLOWS_READ: "Read flows, their versions and the node types",
    Scope.FLOWS_WRITE: "Publish, bind, enable and disable flows",
    Scope.RUNS_READ: "Read runs with what they did",
    Scope.RUNS_WRITE: "Start, retry, resume, settle and cancel runs",
    Scope.RUNS_DECIDE: "Approve or reject what runs wait for, where your role is asked",
    Scope.ADDRESSES_READ: "Read prefixes, VLANs, reservations, and who has and had which address",
    Scope.ADDRESSES_WRITE: "Change prefixes, VLANs and reservations, claim and release addresses",
    Scope.SERVERS_READ: "Read servers, racks, devices, ports and cables",
    Scope.SERVERS_WRITE: "Change, import, move and cable servers, take them out of stock",
    Scope.ALLOCATION_READ: "Read why orders have their servers, who waits, and what is left",
    Scope.ALLOCATION_WRITE: "Give an order another server",
    Scope.MACHINES_READ: "Read what providers say of virtual machines, and what differs",
    Scope.MACHINES_WRITE: "Have virtual machines put right, given back or removed",
    Scope.PROVIDERS_WRITE: "Group, drain and take up providers of virtual machines",
}


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return the scopes that a token of someone in `role` can have; a client's has none."""
    return frozenset(scope for scope, needed in NEEDS.items() if allows(role, needed))
