"""What a client has: services, their credentials and their installations."""

from piccolo.columns import JSONB, BigInt, Bytea, SmallInt
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.accounts.tables import Account
from app.domain.catalog.tables import Product
from app.domain.inventory.tables import BurnIn, Server
from app.domain.orders.tables import Order


class Service(Table, tablename="service"):
    """A delivered (or being delivered) product. Its addresses are claims held by its order."""

    id = key()
    account = reference(Account)
    order = reference(Order, unique=True)
    product = reference(Product)
    server = reference(Server, null=True)
    hostname = text()
    os_code = text(default="")
    state = text(index=True)
    state_since = moment()
    cycle = text()
    currency = text()
    recurring_minor = BigInt()
    next_due_at = moment(null=True)
    created_at = moment()
    activated_at = moment(null=True)
    rescue_since = moment(null=True)
    asked_at = moment(null=True)

    known_state = Check("state IN ('pending', 'provisioning', 'active', 'suspended', 'terminated')")


class Credential(Table, tablename="credential"):
    """How the client gets in. A password is sealed and revealed once in the portal."""

    id = key()
    service = reference(Service)
    kind = text()
    username = text()
    sealed_secret = Bytea(null=True, default=None)
    created_at = moment()
    revealed_at = moment(null=True)

    credential_once = Unique([service, kind])
    known_kind = Check("kind IN ('root_password', 'panel_password', 'panel_user', 'ssh_keys')")


class Installation(Table, tablename="installation"):
    """One try to boot a server over the network, to install, rescue, erase or burn it in.

    `token` opens its netboot files until it ends. The last two are for nobody's service. Only the
    SHA-256 of the token is kept in `token_hash`; `sealed_spec` is the sealed
    `drivers.deploy` specification, which holds a password hash and the token. `seen` is what the
    system sees of the machine (`inventory.fitness.Seen`).
    """

    id = key()
    service = reference(Service, null=True)
    server = reference(Server)
    purpose = text(default="install")
    step_key = text(unique=True)
    token_hash = Bytea(unique=True)
    sealed_spec = Bytea()
    state = text(index=True)
    stage = text(default="")
    percent = SmallInt(default=0)
    error = text(default="")
    created_at = moment()
    updated_at = moment()
    finished_at = moment(null=True)
    log = JSONB(default="[]")
    seen = JSONB(null=True, default=None)
    burn_in = reference(BurnIn, null=True)

    known_state = Check(
        "state IN ('prepared', 'booted', 'installing', 'installed', 'failed', 'abandoned')"
    )
    known_purpose = Check("purpose IN ('install', 'rescue', 'erase', 'burn-in')")
    some_are_nobodys = Check("(service IS NULL) = (purpose IN ('erase', 'burn-in'))")
    boots_for_burn_in = Check("(burn_in IS NULL) = (purpose <> 'burn-in')")


class DiskErasure(Table, tablename="disk_erasure"):
    """What was done to one disk of a server, as its live system told; `error` is why it failed."""

    id = key()
    installation = reference(Installation, index=False)
    server = reference(Server)
    disk = text()
    kind = text()
    model = text()
    serial = text()
    size_bytes = BigInt()
    method = text()
    error = text(default="")
    ended_at = moment()

    disk_erasure_once = Unique([installation, disk])
    known_kind = Check("kind IN ('nvme', 'ssd', 'hdd')")
