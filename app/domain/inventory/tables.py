"""Hardware: where it stands, what it is, what is plugged into it, and who holds it."""

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Date, Integer, SmallInt, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import Exclude, key, moment, reference, text

_SIDES = "side IN ('both', 'front', 'rear')"
_FEEDS = "feeds IN ('A', 'B', 'AB')"


class Datacentre(Table, tablename="datacentre"):
    id = key()
    code = text(unique=True)
    name = text()
    city = text(default="")
    country = text(default="")


class Room(Table, tablename="room"):
    id = key()
    datacentre = reference(Datacentre, index=False)
    name = text()

    room_once = Unique([datacentre, name])


class RackRow(Table, tablename="rack_row"):
    """Racks side by side in a room."""

    id = key()
    room = reference(Room, index=False)
    name = text()

    rack_row_once = Unique([room, name])


class Rack(Table, tablename="rack"):
    """A rack and what it may carry; null (and a `power_budget_watts` of 0) is no limit.

    `power_budget_watts` is for all that stands there together, `feed_a_watts` and `feed_b_watts`
    for what each feed carries, even when the other one fails. `place` is its place in the row.
    """

    id = key()
    datacentre = reference(Datacentre)
    name = text()
    u_height = SmallInt(default=42)
    power_budget_watts = Integer(default=0)
    rack_row = reference(RackRow, null=True)
    place = SmallInt(default=0)
    feed_a_watts = Integer(null=True, default=None)
    feed_b_watts = Integer(null=True, default=None)
    cooling_watts = Integer(null=True, default=None)
    weight_kg = Integer(null=True, default=None)
    most_of_client = SmallInt(null=True, default=None)
    note = text(default="")

    rack_once = Unique([datacentre, name])
    rack_limits = Check(
        "u_height >= 1 AND power_budget_watts >= 0 AND coalesce(feed_a_watts, 0) >= 0 AND "
        "coalesce(feed_b_watts, 0) >= 0 AND coalesce(cooling_watts, 0) >= 0 AND "
        "coalesce(weight_kg, 0) >= 0 AND coalesce(most_of_client, 1) >= 1"
    )


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
    `recheck_at` is when one in quarantine is looked at again by itself, `rechecks` how often it was
    since it last worked.
    `u_position` is the lowest unit that it fills, on `side` or, full depth, on both.
    """

    id = key()
    name = text(unique=True)
    serial = text(unique=True)
    model = text(default="")
    rack = reference(Rack)
    u_position = SmallInt()
    u_height = SmallInt(default=1)
    side = text(default="both")
    cpu_model = reference(CpuModel)
    cpu_count = SmallInt(default=1)
    ram_gb = Integer()
    raid_controller = Boolean(default=False)
    raid_model = text(default="")
    power_draw_watts = Integer(default=0)
    feeds = text(default="AB")
    weight_kg = Integer(default=0)
    mac = text(unique=True)
    state = text(index=True)
    state_since = moment()
    state_reason = text(default="")
    maintenance_ends_at = moment(null=True, index=True)
    recheck_at = moment(null=True, index=True)
    rechecks = SmallInt(default=0)
    holder = UUID(null=True, default=None, index=True)
    hold_expires_at = moment(null=True)
    seq = BigInt(default=0)
    may_hold_data = Boolean(
        default=False, help_text="a client's data may be on its disks; nobody's until erased"
    )
    power = text(default="unknown")
    power_seen_at = moment(null=True)
    power_drift_since = moment(null=True)
    power_taken = Text(null=True, default=None, help_text="that a person took for right")
    warranty_ends_on = Date(null=True, default=None)
    note = text(default="")

    server_on_units = Check("u_position >= 1 AND u_height >= 1")
    known_side = Check(_SIDES)
    known_feeds = Check(_FEEDS)
    only_maintenance_ends = Check("maintenance_ends_at IS NULL OR state = 'maintenance'")
    known_state = Check(
        "state IN ('enrolled', 'inspecting', 'available', 'held', 'provisioning', 'active', "
        "'releasing', 'cleaning', 'failed', 'quarantined', 'maintenance')"
    )
    known_power = Check("power IN ('on', 'off', 'unknown')")
    known_power_taken = Check("power_taken IN ('on', 'off')")
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

    `boot_method` says how an installation reaches the machine: over its network card (PXE), by
    UEFI's HTTP boot, or, where there is no DHCP for it, by virtual media. `silence` is why it did
    not say the last time whether the server runs. `vendor` and `serial` are what it said of itself
    (`access.py`).
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
    read_due_at = moment()
    silent_since = moment(null=True)
    silence = text(default="")
    vendor = text(default="")
    serial = text(default="unknown")
    access_due_at = moment()

    known_vendor = Check("vendor IN ('', 'dell', 'hpe', 'supermicro', 'lenovo', 'generic')")
    known_serial = Check("serial IN ('unknown', 'none', 'off', 'command-line', 'open')")
    known_protocol = Check("protocol IN ('redfish', 'ipmi')")
    known_boot = Check("boot_method IN ('network', 'virtual-media', 'http')")
    known_tls = Check("tls_mode IN ('ca', 'pin', 'off')")
    ipmi_has_no_media = Check("protocol <> 'ipmi' OR boot_method = 'network'")


class Device(Table, tablename="device"):
    """What else is in a rack: a switch, a PDU, a patch panel. One of height 0 fills no unit."""

    id = key()
    kind = text()
    name = text(unique=True)
    model = text(default="")
    serial = text(default="")
    rack = reference(Rack)
    u_position = SmallInt(null=True, default=None)
    u_height = SmallInt(default=1)
    side = text(default="both")
    feeds = text(default="AB")
    power_draw_watts = Integer(default=0)
    weight_kg = Integer(default=0)
    note = text(default="")

    known_kind = Check("kind IN ('switch', 'pdu', 'panel', 'other')")
    device_on_units = Check(
        "(u_position IS NULL AND u_height = 0) OR (u_position >= 1 AND u_height >= 1)"
    )
    known_side = Check(_SIDES)
    known_feeds = Check(_FEEDS)


class RackMove(Table, tablename="rack_move"):
    """A task: a server that somebody is to carry to another place, which is kept free for it.

    Done or dropped it is deleted; the audit trail has it.
    """

    id = key()
    server = reference(Server, unique=True)
    rack = reference(Rack)
    u_position = SmallInt()
    u_height = SmallInt()
    side = text()
    reason = text()
    created_at = moment()
    created_by = text()


class RackSpace(Table, tablename="rack_space"):
    """What fills which units; triggers keep it equal to servers, devices and planned moves."""

    occupant = UUID(primary_key=True)
    rack = reference(Rack)
    u_position = SmallInt()
    u_height = SmallInt()
    side = text()

    rack_space_apart = Exclude(
        "uuidrange(rack, rack, '[]') WITH &&, "
        "int4range(u_position, u_position + u_height) WITH &&, "
        "int4range(CASE side WHEN 'rear' THEN 1 ELSE 0 END, "
        "CASE side WHEN 'front' THEN 1 ELSE 2 END) WITH &&"
    )


class Port(Table, tablename="port"):
    """Where a cable is plugged in: of a server (`mac` is its network card's) or of a device."""

    id = key()
    server = reference(Server, null=True, index=False)
    device = reference(Device, null=True)
    name = text()
    kind = text()
    mac = text(null=True, unique=True)
    speed_mbps = Integer(default=0)

    port_once = Unique([server, device, name], nulls_distinct=False)
    port_of_one = Check("(server IS NULL) <> (device IS NULL)")
    known_kind = Check("kind IN ('network', 'power', 'console')")


class Cable(Table, tablename="cable"):
    """From one port to another; a port has one cable at most, whichever its end."""

    id = key()
    a_port = reference(Port)
    b_port = reference(Port)
    label = text(default="")
    colour = text(default="")
    length_cm = Integer(default=0)

    one_cable_a_port = Exclude(
        "uuidmultirange(uuidrange(a_port, a_port, '[]'), uuidrange(b_port, b_port, '[]')) WITH &&"
    )
    two_ends = Check("a_port <> b_port")


class HardwareReport(Table, tablename="hardware_report"):
    """What was last told of a server's hardware, or why its BMC said nothing (`error`).

    `told_by` is '' for its BMC, or the name of the cloud that inspected it.
    """

    id = key()
    server = reference(Server, unique=True)
    asked_at = moment()
    told_by = text(default="")
    read_at = moment(null=True)
    error = text(default="")
    facts = JSONB(default="{}")


class BurnIn(Table, tablename="burn_in"):
    """A time under load of a server that nobody has; one a server is under way at most.

    It came from the state `came_from`, for the reason `came_for`. `parts` is what the live system
    told of each (`burn_in_parts.Part`), `verdict` what that came to, `error` why it failed or was
    stopped.
    """

    id = key()
    server = reference(Server)
    minutes = Integer()
    came_from = text()
    came_for = text()
    state = text()
    asked_by = UUID(null=True, default=None)
    asked_as = text()
    reason = text()
    asked_at = moment()
    loaded_at = moment(null=True)
    celsius = SmallInt(null=True, default=None)
    hottest_celsius = SmallInt(null=True, default=None)
    parts = JSONB(default="[]")
    verdict = text(default="")
    error = text(default="")
    ended_at = moment(null=True)

    known_burn_in = Check("state IN ('under_way', 'stopping', 'passed', 'failed', 'stopped')")
    known_verdict = Check("verdict IN ('', 'passed', 'failed', 'undone')")
    takes_minutes = Check("minutes >= 1")
    only_ended_has_an_end = Check("(state IN ('under_way', 'stopping')) = (ended_at IS NULL)")


class BmcPeer(Table, tablename="bmc_peer"):
    """A BMC as it is reached, for all workers; several servers may have one (`bmc_turn.py`)."""

    peer = Text(primary_key=True, default=None, help_text="host and port")
    cipher_suite = SmallInt(null=True, default=None, help_text="that IPMI agreed on last")
    ssh_host_key = text(default="")
    serial_left_at = moment(null=True)


class BmcRejection(Table, tablename="bmc_rejection"):
    """A rejection of credentials by a BMC, which is shown them again rarely (`bmc_turn.py`)."""

    id = key()
    peer = text(index=True)
    username = text()
    sealed_credentials = Bytea()
    words = text()
    rejected_at = moment()
