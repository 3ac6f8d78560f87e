"""Hardware: where it stands, what it is, and who holds it."""

from piccolo.columns import UUID, BigInt, Boolean, Bytea, Integer, SmallInt
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text


class Datacentre(Table, tablename="datacentre"):
    id = key()
    code = text(unique=True)
    name = text()
    city = text(default="")
    country = text(default="")


class Rack(Table, tablename="rack"):
    id = key()
    datacentre = reference(Datacentre)
    name = text()
    u_height = SmallInt(default=42)
    power_budget_watts = Integer(default=0)

    rack_once = Unique([datacentre, name])


class CpuModel(Table, tablename="cpu_model"):
    id = key()
    name = text(unique=True)
    cores = SmallInt()
    threads = SmallInt()
    base_mhz = Integer(default=0)


class CpuEquivalence(Table, tablename="cpu_equivalence"):
    """`stand_in` may be given where `wanted` was ordered, at a preference cost. Directed."""

    id = key()
    group = text(index=True)
    wanted = reference(CpuModel)
    stand_in = reference(CpuModel)
    cost = Integer(default=1)

    cpu_equivalence_once = Unique([wanted, stand_in])
    not_itself = Check("wanted <> stand_in")


class Server(Table, tablename="server"):
    """One machine. `state` changes only through `states.py`.

    `holder` is the order that holds it or the service that runs on it; `seq` counts the
    changes of holder, so that a late release of an earlier hold does nothing (ABA).
    """

    id = key()
    name = text(unique=True)
    serial = text(unique=True)
    rack = reference(Rack)
    u_position = SmallInt()
    u_height = SmallInt(default=1)
    cpu_model = reference(CpuModel)
    cpu_count = SmallInt(default=1)
    ram_gb = Integer()
    raid_controller = Boolean(default=False)
    power_draw_watts = Integer(default=0)
    mac = text(unique=True)
    state = text(index=True)
    state_since = moment()
    state_reason = text(default="")
    holder = UUID(null=True, default=None, index=True)
    hold_expires_at = moment(null=True)
    seq = BigInt(default=0)
    may_hold_data = Boolean(
        default=False, help_text="a client's data may be on its disks; nobody's until erased"
    )
    power = text(default="unknown")
    power_seen_at = moment(null=True)

    server_u_once = Unique([rack, u_position])
    known_state = Check(
        "state IN ('enrolled', 'inspecting', 'available', 'held', 'provisioning', 'active', "
        "'releasing', 'cleaning', 'failed', 'quarantined', 'maintenance')"
    )
    known_power = Check("power IN ('on', 'off', 'unknown')")
    stock_is_erased = Check("state <> 'available' OR NOT may_hold_data")
    free_has_no_holder = Check("state <> 'available' OR holder IS NULL")
    taken_has_holder = Check(
        "state NOT IN ('held', 'provisioning', 'active', 'releasing') OR holder IS NOT NULL"
    )
    only_holds_expire = Check("hold_expires_at IS NULL OR state = 'held'")


class Disk(Table, tablename="disk"):
    """Disks of one kind and size in a server."""

    id = key()
    server = reference(Server)
    kind = text()
    capacity_gb = Integer()
    quantity = SmallInt()

    known_kind = Check("kind IN ('nvme', 'ssd', 'hdd')")


class Bmc(Table, tablename="bmc"):
    """The management controller of a server; its password is sealed.

    `boot_method` says how an installation reaches the machine: over its network card, or, where
    there is no DHCP for it, by virtual media.
    """

    id = key()
    server = reference(Server, unique=True)
    protocol = text(default="redfish")
    url = text()
    username = text()
    sealed_password = Bytea()
    system_path = text(default="")
    tls_mode = text(default="ca")
    ca_pem = text(default="")
    boot_method = text(default="network")

    known_boot = Check("boot_method IN ('network', 'virtual-media')")
    known_tls = Check("tls_mode IN ('ca', 'pin', 'off')")
