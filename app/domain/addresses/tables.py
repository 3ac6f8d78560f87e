"""Prefixes, VLANs and the claims on them: the truth of the IPAM."""

from piccolo.columns import UUID, BigInt, BigSerial, Boolean, Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import Cidr, Inet, key, moment, reference, text
from app.domain.inventory.tables import Datacentre, Rack


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


class Prefix(Table, tablename="prefix"):
    """A network from which addresses (IPv4) or networks (IPv6) are given out."""

    id = key()
    network = Cidr(unique=True)
    datacentre = reference(Datacentre)
    rack = reference(Rack, null=True)
    gateway = Inet(null=True)
    purpose = text(default="primary", index=True)
    auto_allocatable = Boolean(default=True)
    strategy = text(default="sequential")
    cooldown_s = Integer(default=3600)
    note = text(default="")

    known_strategy = Check("strategy IN ('sequential', 'random')")
    gateway_inside = Check("gateway IS NULL OR gateway << network")


class AddressClaim(Table, tablename="address_claim"):
    """One row per taken address, IPv6 network or VLAN id. Free means: no row.

    (`kind`, `scope`, `position`) is unique: the database arbitrates. `scope` is the prefix
    (`ip4`, `ip6net`) or the VLAN group (`vlan`); `position` the address's offset, the network's
    index, or the VLAN id. (`holder`, `item`) is unique too: asked twice, the same row answers.
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
    expires_at = moment(null=True, index=True)
    claimed_at = moment()

    address_claim_one_owner = Unique([kind, scope, position])
    address_claim_one_answer = Unique([holder, item])
    known_kind = Check("kind IN ('ip4', 'ip6net', 'vlan')")
    known_state = Check("state IN ('held', 'assigned', 'reserved', 'quarantined')")
    owned = Check("state NOT IN ('held', 'assigned') OR holder IS NOT NULL")
