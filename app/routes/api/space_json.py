"""What the API's objects of the address space have in common (`prefix_json`, `claim_json`).

Fields that NetBox has too are named as there: `prefix`, `family`, `role`, `description`.
"""

from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

PrefixId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the prefix.")]
VrfId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the VRF.")]
GroupId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the VLAN group.")]

Network: TypeAlias = Annotated[
    str, Meta(description="CIDR notation.", examples=["192.0.2.0/24"], max_length=64)
]
VrfName: TypeAlias = Annotated[
    str | None, Meta(description="Name of the VRF; null: the global one.")
]
Text: TypeAlias = Annotated[str, Meta(max_length=200)]
Why: TypeAlias = Annotated[
    str, Meta(description="Shown wherever it is, and kept.", min_length=1, max_length=500)
]
Vid: TypeAlias = Annotated[int, Meta(ge=1, le=4094)]
Cooldown: TypeAlias = Annotated[
    int,
    Meta(description="How long a released address stays nobody's, in s.", ge=0, le=31_536_000),
]
Client: TypeAlias = (
    Annotated[str, Meta(description="E-mail address or id of the account.", max_length=320)] | None
)
ClientWords: TypeAlias = Annotated[
    str,
    QueryParameter(
        description="Only of this client: the id, or a part of the name or e-mail address; of all "
        "whom that fits.",
        max_length=320,
    ),
]
Purpose: TypeAlias = Annotated[str, Meta(description="What it is used as.", max_length=200)]
Until: TypeAlias = Annotated[datetime | None, Meta(description="When it ends; null: never.")]


class Removed(Struct, frozen=True):
    """What is no longer there."""

    id: UUID


def same(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Return those attributes of a view that the API names as we do."""
    return {name: getattr(thing, name) for name in names}
