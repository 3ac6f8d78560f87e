"""What the machines of services used: by five minutes for a while, by hours and days for longer."""

from piccolo.columns import BigInt, BigSerial, Bytea, DoublePrecision, Integer, Real
from piccolo.constraints import Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.services.tables import Service


class UsageWatch(Table, tablename="usage_watch"):
    """When the samples of a service's machine are read again, and why they were not.

    `counted_…` are the counters of a game server as they were read at `counted_at`.
    """

    id = key()
    service = reference(Service, unique=True)
    due_at = moment(index=True)
    read_at = moment(null=True)
    error = text(default="")
    counted_at = moment(null=True)
    counted_in_bytes = BigInt(default=0)
    counted_out_bytes = BigInt(default=0)
    counted_up_s = DoublePrecision(default=0.0)


class UsageHour(Table, tablename="usage_hour"):
    """One hour of a service; `slots` are its five-minute means, packed, until they are dropped."""

    id = BigSerial(primary_key=True)
    service = reference(Service, index=False)
    at = moment()
    seconds = Integer()
    cpu = Real()
    cpu_most = Real()
    memory_bytes = BigInt()
    disk_read_bytes = BigInt()
    disk_write_bytes = BigInt()
    net_in_bytes = BigInt()
    net_out_bytes = BigInt()
    slots = Bytea(null=True, default=None)
    disk_used_bytes = BigInt(default=0)

    hour_once = Unique([service, at])


class UsageDay(Table, tablename="usage_day"):
    """One day (UTC) of a service, made of its hours."""

    id = BigSerial(primary_key=True)
    service = reference(Service, index=False)
    at = moment()
    seconds = Integer()
    cpu = Real()
    cpu_most = Real()
    memory_bytes = BigInt()
    disk_read_bytes = BigInt()
    disk_write_bytes = BigInt()
    net_in_bytes = BigInt()
    net_out_bytes = BigInt()
    disk_used_bytes = BigInt(default=0)

    day_once = Unique([service, at])


class UsageMonth(Table, tablename="usage_month"):
    """One billing month that is over: totals, and percentiles of its five-minute means."""

    id = BigSerial(primary_key=True)
    service = reference(Service, index=False)
    number = Integer()
    began_at = moment()
    ended_at = moment()
    seconds = Integer()
    net_in_bytes = BigInt()
    net_out_bytes = BigInt()
    p95_in_bits_s = BigInt()
    p95_out_bits_s = BigInt()

    month_once = Unique([service, number])
