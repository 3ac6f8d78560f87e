"""What a handler asks for, by the type of a parameter of that name.

    async def show(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[str]: ...

`me` leads to sign-in who is not signed in; `account` may be None. Programs are `caller: Program`.
"""

from typing import Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from redis.asyncio import Redis

from app.components.frame import PageFrame
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.accounts.api_tokens import Caller
from app.domain.accounts.views import AccountView
from app.domain.addresses.desk import ClaimDesk
from app.drivers.deploy.contract import Deployer
from app.drivers.payment.contract import Gateway
from app.drivers.peers import Peers
from app.drivers.serial import ConsoleFleet
from app.settings import Settings

HttpRequest: TypeAlias = Request[Any, Any, Any]
Db: TypeAlias = NamedDependency[Database]
Me: TypeAlias = NamedDependency[AccountView]
MaybeAccount: TypeAlias = NamedDependency[AccountView | None]
Program: TypeAlias = NamedDependency[Caller]
Frame: TypeAlias = NamedDependency[PageFrame]
Sealing: TypeAlias = NamedDependency[Vault]
Config: TypeAlias = NamedDependency[Settings]
Topics: TypeAlias = NamedDependency[Live]
Cache: TypeAlias = NamedDependency[Redis]
# A Protocol cannot be checked at run time; the composition root made them.
Gateways: TypeAlias = NamedDependency[SkipValidation[dict[str, Gateway]]]
Claiming: TypeAlias = NamedDependency[ClaimDesk]
Calling: TypeAlias = NamedDependency[Peers]
Deploying: TypeAlias = NamedDependency[SkipValidation[Deployer]]
Serials: TypeAlias = NamedDependency[SkipValidation[ConsoleFleet]]
