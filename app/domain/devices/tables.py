"""Switches and PDUs that are reached, and the VLANs that ports are to have."""

from piccolo.columns import JSONB, UUID, Bytea, Integer
from piccolo.constraints import Check
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.inventory.tables import Device, Port


class DeviceAccess(Table, tablename="device_access"):
    """How a switch or a PDU is reached, and what it said last (`state`), or why it did not.

    `sealed_secret` is a password or an SNMP community; `sealed_more` a second one, where its
    dialect knows one. `parking_vid` is the VLAN of a switch's ports that nobody has.
    """

    id = key()
    device = reference(Device, unique=True)
    dialect = text()
    host = text()
    port = Integer()
    username = text(default="")
    sealed_secret = Bytea()
    sealed_more = Bytea(null=True, default=None)
    host_key = text(default="")
    parking_vid = Integer(default=1)
    asked_at = moment(null=True)
    read_at = moment(null=True)
    error = text(default="")
    state = JSONB(default="{}")

    known_port = Check("port BETWEEN 1 AND 65535")
    known_parking = Check("parking_vid BETWEEN 1 AND 4094")


class SwitchPort(Table, tablename="switch_port"):
    """What a port of a switch is to have: what was put there last, or a person accepted."""

    id = key()
    port = reference(Port, unique=True)
    untagged = Integer(null=True, default=None)
    tagged = text(default="")
    set_at = moment()

    some_vlan = Check("untagged IS NOT NULL OR tagged <> ''")
    known_vlan = Check("untagged BETWEEN 1 AND 4094")


class SwitchChange(Table, tablename="switch_change"):
    """A change that a person asked for: planned by a worker, looked at, then done."""

    id = key()
    device = reference(Device)
    wanted = JSONB()
    state = text()
    plan = JSONB(default="{}")
    error = text(default="")
    asked_by = UUID(null=True, default=None)
    asked_as = text()
    asked_at = moment()

    known_change = Check("state IN ('planning', 'planned', 'applying', 'done', 'failed')")
