"""The virtual machines of services: where each was planned, and what is known of it."""

from piccolo.columns import JSONB, UUID, Boolean, Bytea, Integer, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.accounts.tables import Account
from app.domain.services.tables import Service


class Machine(Table, tablename="machine"):
    """The machine of one service, at the connection of that name.

    `number` and `power` are as the provider last said. Where `template` is an ISO, `is_iso_in`
    says whether that is in its drive. It is planned while `made_at` is empty; since `removed_at`
    its provider has it no more. `drift` is how it differs from its service.
    """

    id = key()
    service = reference(Service, unique=True)
    connection = text(index=True)
    datacentre = text()
    rack = text(default="")
    node = text()
    storage = text(default="")
    bridge = text(default="")
    plan = text(default="")
    template = text()
    is_iso_in = Boolean(default=False)
    cores = Integer()
    memory_mb = Integer()
    disk_gb = Integer()
    number = text(default="")
    power = text(default="unknown")
    power_seen_at = moment(null=True)
    planned_at = moment()
    made_at = moment(null=True)
    removed_at = moment(null=True)
    drift = text(default="")
    drift_since = moment(null=True)

    known_power = Check("power IN ('on', 'off', 'unknown')")
    known_drift = Check("drift IN ('', 'gone', 'left_over', 'not_suspended', 'suspended', 'off')")
    drift_with_time = Check("(drift = '') = (drift_since IS NULL)")


class ProviderWatch(Table, tablename="provider_watch"):
    """What the provider behind a connection last said of all its machines, and when it is asked.

    `machines` counts those with our mark, `foreign_machines` those without; the first of these are
    in `foreign_sample`. It is silent since `silent_since`, for the reason `silence`.
    """

    connection = Text(primary_key=True, default=None)
    due_at = moment()
    asked_at = moment(null=True)
    heard_at = moment(null=True)
    silent_since = moment(null=True)
    silence = text(default="")
    machines = Integer(default=0)
    foreign_machines = Integer(default=0)
    foreign_sample = JSONB(default="[]")


class StrayMachine(Table, tablename="stray_machine"):
    """A machine that carries the mark of `service` and belongs to none of ours."""

    id = key()
    connection = text()
    number = text()
    node = text()
    name = text()
    power = text()
    service = UUID(default=None)
    first_seen_at = moment()
    left_alone_at = moment(null=True)

    stray_once = Unique([connection, number])


class ConsoleTicket(Table, tablename="console_ticket"):
    """The right of one account to open a machine's screen once; `sealed_console` is where."""

    id = key()
    token_hash = Bytea(unique=True)
    service = reference(Service)
    account = reference(Account)
    connection = text()
    sealed_console = Bytea()
    expires_at = moment(index=True)
    taken_at = moment(null=True)
