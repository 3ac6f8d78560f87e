"""Write an installation down: what will be installed, sealed, under a token of its own."""

import hashlib
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound, Refusal
from app.core.ids import new_id
from app.core.secrets import Vault, new_token
from app.domain.addresses.claim import Claimed
from app.domain.addresses.find import addresses_of
from app.domain.catalog.selection import Selection
from app.domain.services.credentials import Access, keep_access
from app.domain.services.disk_choice import disks_for
from app.domain.services.option_scripts import option_scripts
from app.domain.services.script_fault import digests_of
from app.domain.services.states import InstallationState
from app.drivers.deploy.live import LiveImage, LiveSpec, Purpose
from app.drivers.deploy.netboot.passwords import hash_password
from app.drivers.deploy.spec import Disks, Family, InstallSpec, Ipv4, Ipv6


class Site(msgspec.Struct, frozen=True):
    """What the provider's settings say about every installation."""

    base_url: str
    nameservers: tuple[str, ...]
    ssh_port: int
    host_domain: str
    live: LiveImage | None = None
    """The live system that servers are rescued, erased and burned in with, where one is named."""
    burn_in_returned_minutes: int = 0
    """How long a server that came back is burned in, once it is erased; 0: not."""
    has_boot_file: bool = False
    """Whether firmware that boots by HTTP finds an iPXE binary here."""


class Prepared(msgspec.Struct, frozen=True):
    """An installation as the flow drives it."""

    id: UUID
    state: str
    server: UUID
    spec: InstallSpec
    error: str
    stage: str
    percent: int


class NoSuchSystem(Refusal):
    code = "install.no_such_system"

    def __init__(self, os_code: str) -> None:
        super().__init__(
            f"The operating system {os_code or '(none)'} is not among the enabled images; add it "
            "or enable it, then retry the step."
        )
        self.os_code = os_code


class OsImage(msgspec.Struct, frozen=True):
    """What an installation needs to know of the system that it installs."""

    code: str
    family: Family
    release: str
    kernel_url: str
    initrd_url: str
    mirror_url: str
    image_url: str


async def prepare_install(
    tx: Tx,
    vault: Vault,
    *,
    service: UUID,
    server: UUID,
    step_key: str,
    site: Site,
    os: str = "",
) -> Prepared:
    """Return the installation of `step_key`, written down on the first call.

    `os` is the code of the image; "" for what the service has. Another open installation of the
    same server is abandoned: a machine has one boot script. Two calls at once are taken one after
    the other.
    """
    await tx.execute("SELECT 1 FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
    found = await find_by_step(tx, vault, step_key)
    if found is not None:
        return found
    access = await _access(tx, vault, service)
    image = await _image(tx, os or await _os_of(tx, service))
    disks = await disks_for(tx, service, server)
    spec = await _spec(tx, access, image, disks, service=service, server=server, site=site)
    spec = msgspec.structs.replace(spec, callback_base=under_a_token(site))
    await open_installation(
        tx, vault, spec, purpose=Purpose.INSTALL, service=service, server=server, step_key=step_key
    )
    made = await find_by_step(tx, vault, step_key)
    if made is None:
        raise NotFound("installation", step_key)
    return made


def under_a_token(site: Site) -> str:
    """Return a new address, with a secret of its own, under which a machine reports."""
    return f"{site.base_url}/netboot/{new_token()}"


async def open_installation(
    tx: Tx,
    vault: Vault,
    spec: InstallSpec | LiveSpec,
    *,
    purpose: Purpose,
    service: UUID | None,
    server: UUID,
    step_key: str,
    burn_in: UUID | None = None,
) -> None:
    """Write down, sealed, what the server is booted for; what was open for it is abandoned."""
    token = spec.callback_base.rpartition("/")[2]
    scripts = spec.scripts if isinstance(spec, InstallSpec) else {}
    await tx.execute(
        "UPDATE installation SET state = $2, finished_at = $3 "
        "WHERE server = $1 AND state IN ('prepared', 'booted', 'installing')",
        server,
        InstallationState.abandoned,
        tx.now(),
    )
    await tx.execute(
        "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, state, "
        "created_at, updated_at, purpose, burn_in, log) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $11, "
        "CASE WHEN $10::text IS NULL THEN '[]' ELSE jsonb_build_array("
        "jsonb_build_object('percent', 0, 'at', $8::timestamptz, 'os', $10, "
        "'scripts', $12::jsonb)) END)",
        new_id(),
        service,
        server,
        step_key,
        token_digest(token),
        vault.seal(msgspec.json.encode(spec).decode()),
        InstallationState.prepared,
        tx.now(),
        purpose,
        spec.os_key if isinstance(spec, InstallSpec) else None,
        burn_in,
        msgspec.json.encode(digests_of(scripts)).decode(),
    )


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def find_by_step(tx: Tx, vault: Vault, step_key: str) -> Prepared | None:
    row = await tx.fetchrow(
        "SELECT id, state, server, sealed_spec, error, stage, percent FROM installation "
        "WHERE step_key = $1 AND purpose = 'install'",
        step_key,
    )
    if row is None:
        return None
    spec = msgspec.json.decode(vault.open(row["sealed_spec"]), type=InstallSpec)
    return Prepared(
        row["id"], row["state"], row["server"], spec, row["error"], row["stage"], row["percent"]
    )


async def _access(tx: Tx, vault: Vault, service: UUID) -> Access:
    keys = await tx.fetchval(
        "SELECT coalesce(jsonb_array_length(o.selection->'ssh_keys'), 0) FROM service s "
        'JOIN client_order o ON o.id = s."order" WHERE s.id = $1',
        service,
    )
    return await keep_access(tx, vault, service, keys_only=bool(keys))


async def _os_of(tx: Tx, service: UUID) -> str:
    code: str | None = await tx.fetchval("SELECT os_code FROM service WHERE id = $1", service)
    return code or ""


async def _image(tx: Tx, code: str) -> OsImage:
    row = await tx.fetchrow(
        "SELECT code, family, release, kernel_url, initrd_url, mirror_url, image_url FROM os_image "
        "WHERE code = $1 AND is_enabled",
        code,
    )
    if row is None:
        raise NoSuchSystem(code)
    return msgspec.convert(dict(row), OsImage)


async def rescue_system(
    tx: Tx, vault: Vault, image: LiveImage, *, service: UUID, server: UUID, site: Site
) -> InstallSpec:
    """Return what a rescue system has to know of the installed one: addresses and access."""
    access = await _access(tx, vault, service)
    urls = (image.kernel_url, image.initrd_url, image.image_url, image.image_url)
    live = OsImage("rescue", Family.DEBIAN, "live", *urls)
    return await _spec(tx, access, live, Disks(), service=service, server=server, site=site)


async def _spec(
    tx: Tx,
    access: Access,
    image: OsImage,
    disks: Disks,
    *,
    service: UUID,
    server: UUID,
    site: Site,
) -> InstallSpec:
    """Put the specification together; its call-back address is the caller's to fill in."""
    row = await tx.fetchrow(
        'SELECT s."order", s.product, s.hostname, o.selection, m.mac, p.post_install '
        'FROM service s JOIN client_order o ON o.id = s."order" '
        "JOIN product p ON p.id = s.product JOIN server m ON m.id = $2 WHERE s.id = $1",
        service,
        server,
    )
    if row is None:
        raise NotFound("service", service)
    selection = msgspec.json.decode(row["selection"], type=Selection)
    host, _, domain = row["hostname"].partition(".")
    addresses = await addresses_of(tx, row["order"])
    scripts = await option_scripts(tx, row["product"], selection)
    return InstallSpec(
        os_key=image.code,
        family=image.family,
        release=image.release,
        kernel_url=image.kernel_url,
        initrd_url=image.initrd_url,
        mirror_url=image.mirror_url,
        image_url=image.image_url or None,
        hostname=host,
        domain=domain or site.host_domain,
        mac=row["mac"],
        ipv4=_ipv4(addresses),
        extra_ipv4=tuple(str(extra.address) for extra in addresses.ip4[1:]),
        ipv6=_ipv6(addresses),
        vlan=addresses.vlan,
        nameservers=site.nameservers,
        root_password_hash=None if access.password is None else hash_password(access.password),
        ssh_keys=selection.ssh_keys,
        disks=disks,
        ssh_port=site.ssh_port,
        post_install="\n".join(script for _, script in scripts),
        product_script=row["post_install"],
        callback_base=site.base_url,
    )


def _ipv4(addresses: Claimed) -> Ipv4:
    primary = addresses.ip4[0]
    return Ipv4(
        address=str(primary.address),
        prefixlen=primary.prefix_length,
        gateway=str(primary.gateway),
    )


def _ipv6(addresses: Claimed) -> Ipv6 | None:
    if not addresses.ip6:
        return None
    network = addresses.ip6[0]
    return Ipv6(
        address=str(network.host_address),
        prefixlen=network.network.prefixlen,
        gateway=None if network.gateway is None else str(network.gateway),
    )
