"""The virtual machines of services: where each was planned, and what is known of it."""

from piccolo.columns import Integer
from piccolo.constraints import Check
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.services.tables import Service


class Machine(Table, tablename="machine"):
    """The machine of one service, at the connection of that name.

    `number` and `power` are as the provider last said. It is planned while `made_at` is empty;
    since `removed_at` its provider has it no more.
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
    cores = Integer()
    memory_mb = Integer()
    disk_gb = Integer()
    number = text(default="")
    power = text(default="unknown")
    power_seen_at = moment(null=True)
    planned_at = moment()
    made_at = moment(null=True)
    removed_at = moment(null=True)

    known_power = Check("power IN ('on', 'off', 'unknown')")
