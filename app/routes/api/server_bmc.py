"""`/api/v1/servers/…/bmc`: how a server's BMC is reached; what this says stays as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.accounts.scopes import Scope
from app.domain.inventory import seed
from app.domain.inventory.bmc import change_bmc, find_bmc, rejection_of
from app.domain.inventory.seed import BmcSeed
from app.drivers.bmc.contract import BmcProtocol
from app.routes.api.answer import require_match, tagged
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.security.dependencies import Db, Sealing

ServerId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the server.")]
Url: TypeAlias = Annotated[
    str,
    Meta(
        description="Scheme, host and port: `https://…` by Redfish, `ipmi://…` by IPMI.",
        examples=["https://10.0.0.7"],
        max_length=300,
    ),
]
TlsMode: TypeAlias = Annotated[
    Literal["ca", "pin", "off"],
    Meta(description="Trust what a CA signed, exactly one certificate, or (not safe) any."),
]
Trusted: TypeAlias = Annotated[
    str,
    Meta(
        description="`ca`: the CA's certificate, empty for the machine's own list; `pin`: the "
        "SHA-256 of the certificate in hexadecimal.",
        max_length=20_000,
    ),
]
SystemPath: TypeAlias = Annotated[
    str, Meta(description="Redfish path; empty where the BMC has one system.", max_length=300)
]
BootMethod: TypeAlias = Annotated[
    seed.BootMethod,
    Meta(
        description="How an installation reaches the machine: by PXE (`network`), by UEFI's HTTP "
        "boot or by virtual media; by IPMI over the network alone.",
    ),
]


class BmcRejection(Struct, frozen=True):
    """What a BMC said to the credentials, when it rejected them last."""

    words: str
    at: datetime
    again_at: Annotated[
        datetime | None,
        Meta(
            description="The first request after this shows them to it once more; null: none does "
            "before they are sent anew."
        ),
    ]


class BmcLine(Struct, frozen=True, kw_only=True):
    """A server's BMC; its URL is empty while none is written down."""

    protocol: BmcProtocol
    url: Url
    username: str
    system_path: SystemPath
    tls_mode: TlsMode
    ca_pem: Trusted
    boot_method: BootMethod
    rejection: BmcRejection | None


class BmcChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server's BMC as it is to be."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "protocol": "ipmi",
        "url": "ipmi://10.0.0.7",
        "username": "slipway",
        "password": "a long one",
    }

    protocol: BmcProtocol = BmcProtocol.REDFISH
    url: Url
    username: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Annotated[
        str,
        Meta(
            description="Empty keeps the one there is, for a BMC at the same host and port.",
            max_length=200,
        ),
    ] = ""
    system_path: SystemPath = ""
    tls_mode: TlsMode = "ca"
    ca_pem: Trusted = ""
    boot_method: BootMethod = "network"


class ServerBmcs(Controller):
    """The BMCs of servers."""

    path = "/servers/{server_id:uuid}/bmc"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showServerBmc",
        summary="Show a server's BMC",
        description="How it is reached, and whether it rejects the credentials that are known.",
    )
    async def show(
        self, db: Db, vault: Sealing, server_id: ServerId, if_none_match: IfNoneMatch = None
    ) -> Response[BmcLine]:
        async with db.snapshot() as tx:
            line = await _line(tx, vault, server_id)
        return tagged(line, if_none_match)

    @put(
        **needs(Scope.SERVERS_WRITE, 409, 412),
        response_headers=[ETAG],
        operation_id="putServerBmc",
        summary="Say how a server's BMC is reached",
        description="In place of what was known. Credentials that the BMC rejected are tried "
        "once more.",
    )
    async def put(
        self, change: Asked, vault: Sealing, server_id: ServerId, data: JSONBody[BmcChange]
    ) -> Response[BmcLine]:
        return await change.once(lambda tx: _put(tx, vault, change, server_id, data))


async def _put(tx: Tx, vault: Vault, change: Asked, server: UUID, data: BmcChange) -> BmcLine:
    require_match(change.if_match, await _line(tx, vault, server))
    await change_bmc(
        tx,
        vault,
        server,
        BmcSeed(**msgspec.structs.asdict(data)),
        actor=change.caller.account.id,
        actor_label=change.caller.label,
    )
    return await _line(tx, vault, server)


async def _line(tx: Tx, vault: Vault, server: UUID) -> BmcLine:
    bmc = await find_bmc(tx, server)
    found = await rejection_of(tx, vault, server)
    rejection = BmcRejection(found.words, found.at, found.again_at) if found else None
    return msgspec.convert({**bmc.facts(), "rejection": rejection}, BmcLine)
