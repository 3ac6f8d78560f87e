"""Prefixes, VLANs and the claims on them: the truth of the IPAM."""

from piccolo.columns import JSONB, UUID, BigInt, BigSerial, Boolean, Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import Cidr, Exclude, Inet, key, moment, reference, text
from app.domain.accounts.tables import Account
from app.domain.inventory.tables import Datacentre, Rack

_VRF = "coalesce(vrf, '00000000-0000-0000-0000-000000000000'::uuid)"


class VlanGroup(Table, tablename="vlan_group"):
    """A space of VLAN ids (1 to 4094): a datacentre, or one rack of it."""

    id = key()
    name = text(unique=True)
    datacentre = reference(Datacentre)
    rack = reference(Rack, null=True)
    first_vid = Integer(default=100)
    last_vid = Integer(default=3999)
    auto_allocatable = Boolean(default=True)

    vids = Check("first_vid >= 1 AND last_vid <= 4094 AND first_vid <= last_vid")


class Vrf(Table, tablename="vrf"):
    """A routing table of its own: the same network may be written down once in each."""

    id = key()
    name = text(unique=True)
    note = text(default="")


class Prefix(Table, tablename="prefix"):
    """A network: a container of others, or a leaf from which addresses or /64s are given out.

    Its parent is the smallest container around it, found by the network. Only leaves have
    claims; no two leaves of a VRF (null: the global one) have an address in common. `purpose`
    is its role. With `check_first`, nothing of it is handed out before it was seen to be unused.
    """

    id = key()
    vrf = reference(Vrf, null=True)
    network = Cidr()
    status = text(default="active")
    datacentre = reference(Datacentre)
    rack = reference(Rack, null=True)
    gateway = Inet(null=True)
    purpose = text(default="primary", index=True)
    auto_allocatable = Boolean(default=True)
    strategy = text(default="sequential")
    cooldown_s = Integer(default=3600)
    note = text(default="")
    vlan_group = reference(VlanGroup, null=True)
    vid = Integer(null=True, default=None)
    forward_zone = text(default="")
    reverse_zone = text(default="")
    check_first = Boolean(default=False)

    prefix_once = Unique([vrf, network], nulls_distinct=False)
    prefix_leaves_apart = Exclude(
        f"uuidrange({_VRF}, {_VRF}, '[]') WITH &&, network inet_ops WITH &&",
        where="status <> 'container'",
    )
    known_status = Check("status IN ('container', 'active', 'reserved', 'deprecated')")
    known_strategy = Check("strategy IN ('sequential', 'random')")
    gateway_inside = Check("gateway IS NULL OR gateway << network")
    vlan_of_a_group = Check("vid IS NULL OR (vlan_group IS NOT NULL AND vid BETWEEN 1 AND 4094)")


class AddressClaim(Table, tablename="address_claim"):
    """One row per taken address, IPv6 network or VLAN id. Free means: no row.

    (`kind`, `scope`, `position`) is unique: the database arbitrates. `scope` is the prefix
    (`ip4`, `ip6net`) or the VLAN group (`vlan`); `position` the address's offset, the network's
    index, or the VLAN id. (`holder`, `item`) is unique too: asked twice, the same row answers.
    `client` is the account whose it is; `reason` what staff gave who claimed by hand, or why it
    is quarantined; `checked_at` when it was found unused, or handed out without such a look.
    `kept_back` is what its prefix keeps it back for (gateway, …) as soon as the claim by hand or
    the cool-down that it is in has ended; "" when it is free then.
    """

    id = BigSerial(primary_key=True)
    kind = text()
    scope = UUID()
    position = BigInt()
    state = text()
    holder = UUID(null=True, default=None)
    item = text(default="")
    purpose = text(default="")
    seq = BigInt(default=0)
    expires_at = moment(null=True)
    claimed_at = moment()
    client = UUID(null=True, default=None)
    reason = text(default="")
    checked_at = moment(null=True)
    kept_back = text(default="")

    address_claim_one_owner = Unique([kind, scope, position])
    address_claim_one_answer = Unique([holder, item])
    known_kind = Check("kind IN ('ip4', 'ip6net', 'vlan')")
    known_state = Check("state IN ('held', 'assigned', 'reserved', 'quarantined')")
    owned = Check("state NOT IN ('held', 'assigned') OR holder IS NOT NULL")


class AddressSpace(Table, tablename="address_space"):
    """One row: which version of prefixes, VLAN groups and what is kept of them is the present one.

    Triggers give it another with each change; whoever remembers the pools compares (`memory.py`).
    """

    id = Boolean(primary_key=True, default=True)
    version = UUID(default=None)

    address_space_is_one = Check("id")


class ReverseName(Table, tablename="reverse_name"):
    """What the PTR record of an address is to be, and how far the name server is with it.

    No `hostname`: it is to go, and its row with it; until then its claim is not deleted.
    `pushed_as` is the name at which the server may have a record of ours, "" when it has none.
    `seq` grows with each change, so that a push that was overtaken leaves no mark.
    """

    address = Inet(primary_key=True)
    claim = reference(AddressClaim)
    hostname = text(null=True)
    state = text()
    error = text(default="")
    pushed_as = text(default="")
    seq = BigInt(default=1)
    attempts = Integer(default=0)
    due_at = moment(index=True)
    leased_until = moment(null=True)
    changed_at = moment()

    known_name_state = Check("state IN ('pending', 'pushed', 'failed')")


class Reservation(Table, tablename="address_reservation"):
    """Positions `first` to `last` of a prefix, kept for a client or a purpose.

    One row whatever its size. No two of a prefix have a position in common.
    """

    id = key()
    prefix = reference(Prefix)
    first = BigInt()
    last = BigInt()
    client = reference(Account, null=True)
    purpose = text(default="")
    reason = text()
    expires_at = moment(null=True, index=True)
    created_at = moment()

    reservations_apart = Exclude(
        "uuidrange(prefix, prefix, '[]') WITH &&, int8range(first, last, '[]') WITH &&"
    )
    span = Check("first >= 0 AND first <= last")
    for_someone = Check("client IS NOT NULL OR purpose <> ''")


class AddressEvent(Table, tablename="address_event"):
    """What became of an address, /64 or VLAN id, and when: written by triggers, never changed.

    Whose it was at a time is its latest row until then; `free` ends what was before.
    `network` is the /32 or /64 (null for a VLAN id), so that it outlives its prefix.
    """

    id = BigSerial(primary_key=True)
    at = moment()
    kind = text()
    vrf = UUID(null=True, default=None)
    network = Cidr(null=True)
    scope = UUID()
    position = BigInt()
    state = text()
    holder = UUID(null=True, default=None)
    client = UUID(null=True, default=None)
    item = text(default="")
    purpose = text(default="")
    reason = text(default="")


class AddressAudit(Table, tablename="address_audit"):
    """What one audit found: every drift by name, in `found`."""

    id = key()
    at = moment(index=True)
    took_ms = Integer(default=0)
    claims = BigInt(default=0)
    drifts = Integer(default=0)
    processes = Integer(default=0)
    found = JSONB(default="[]")
