"""Roles, and what each of them may do: one table, asked in one place."""

from enum import StrEnum


class Role(StrEnum):
    """Who someone is to the provider."""

    CLIENT = "client"
    """Buys and uses servers; sees only what is their own."""
    OPERATOR = "operator"
    """Runs the datacentre: orders, services, servers, addresses."""
    DESIGNER = "designer"
    """Draws flows, the catalogue and mail templates; changes no client's service."""
    FINANCE = "finance"
    """Records payments, refunds, credit; sees orders and services."""
    OWNER = "owner"
    """May do everything, people included."""


class Permission(StrEnum):
    """One thing that the admin side lets someone do; a client has none of them."""

    ADMIN = "admin"
    """Enter the admin side and see its dashboard."""
    ORDERS_READ = "orders.read"
    ORDERS_CHANGE = "orders.change"
    SERVICES_READ = "services.read"
    SERVICES_CHANGE = "services.change"
    SERVERS_READ = "servers.read"
    SERVERS_CHANGE = "servers.change"
    ADDRESSES_READ = "addresses.read"
    ADDRESSES_CHANGE = "addresses.change"
    INVOICES_READ = "invoices.read"
    INVOICES_CHANGE = "invoices.change"
    """Record a transfer, void, refund, grant credit."""
    CATALOGUE_READ = "catalogue.read"
    CATALOGUE_CHANGE = "catalogue.change"
    FLOWS_READ = "flows.read"
    """See flows and their runs."""
    FLOWS_CHANGE = "flows.change"
    """Draft and publish flows."""
    RUNS_CHANGE = "runs.change"
    """Retry, skip or cancel a run."""
    CONNECTIONS_READ = "connections.read"
    """See which peers flows may call; never a secret."""
    CONNECTIONS_CHANGE = "connections.change"
    """Add, change, test and remove them, their secrets among it."""
    MAIL_READ = "mail.read"
    MAIL_CHANGE = "mail.change"
    """Edit mail templates, send a mail again."""
    ACCOUNTS_READ = "accounts.read"
    ACCOUNTS_CHANGE = "accounts.change"
    """Create, disable and change the role of people."""
    AUDIT_READ = "audit.read"


_P = Permission
_STAFF = frozenset(
    {_P.ADMIN, _P.ORDERS_READ, _P.SERVICES_READ, _P.CATALOGUE_READ, _P.FLOWS_READ, _P.MAIL_READ}
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CLIENT: frozenset(),
    Role.OPERATOR: _STAFF
    | {
        _P.ORDERS_CHANGE,
        _P.SERVICES_CHANGE,
        _P.SERVERS_READ,
        _P.SERVERS_CHANGE,
        _P.ADDRESSES_READ,
        _P.ADDRESSES_CHANGE,
        _P.INVOICES_READ,
        _P.RUNS_CHANGE,
        _P.CONNECTIONS_READ,
        _P.CONNECTIONS_CHANGE,
        _P.ACCOUNTS_READ,
        _P.AUDIT_READ,
    },
    Role.DESIGNER: _STAFF
    | {
        _P.SERVERS_READ,
        _P.ADDRESSES_READ,
        _P.CATALOGUE_CHANGE,
        _P.FLOWS_CHANGE,
        _P.CONNECTIONS_READ,
        _P.MAIL_CHANGE,
    },
    Role.FINANCE: _STAFF
    | {_P.ORDERS_CHANGE, _P.INVOICES_READ, _P.INVOICES_CHANGE, _P.ACCOUNTS_READ, _P.AUDIT_READ},
    Role.OWNER: frozenset(Permission),
}


def allows(role: Role, permission: Permission) -> bool:
    """Say whether `role` may do what `permission` names."""
    return permission in PERMISSIONS[role]


def is_staff(role: Role) -> bool:
    """Say whether `role` belongs to the provider's own people."""
    return allows(role, Permission.ADMIN)


def may_decide(role: Role, asked: str) -> bool:
    """Say whether `role` may decide what a flow asks the role `asked`; an owner always may."""
    return role is Role.OWNER or (is_staff(role) and role.value == asked)
