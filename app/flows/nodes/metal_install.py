"""action.metal_install: have a cloud of bare metal write an image on the order's server."""

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.domain.catalog.selection import Selection
from app.domain.services.credentials import keep_access
from app.drivers.deploy.netboot.passwords import hash_password
from app.drivers.metal.contract import Image, MetalWant
from app.drivers.secret import Secret
from app.flows.intent import intended
from app.flows.machines import drive
from app.flows.metal import At, Connection, ServerOutput, link_of, metal_at, need_metal, seen
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Wait


class SystemImage(msgspec.Struct, frozen=True):
    """A disk image and what proves it."""

    url: Annotated[
        str, Meta(title="URL", description="Of a disk image with cloud-init.", min_length=1)
    ]
    checksum: Annotated[
        str,
        Meta(
            title="Checksum",
            description="SHA-256 or SHA-512 in hex, or the URL of a file of checksums.",
            min_length=1,
        ),
    ]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection
    images: Annotated[
        dict[str, SystemImage],
        Meta(
            title="Images",
            description="By the code of the system that the client ordered, what is installed.",
            examples=[
                {
                    "debian-12": {
                        "url": "https://images.example.net/debian-12.qcow2",
                        "checksum": "https://images.example.net/SHA512SUMS",
                    }
                }
            ],
            min_length=1,
        ),
    ]
    how: Annotated[
        Literal["deploy", "reinstall"],
        Meta(
            title="How",
            description="deploy takes the node and installs; reinstall does it anew.",
            examples=["deploy"],
        ),
    ] = "deploy"
    user_data: Annotated[
        str,
        Meta(
            title="User data",
            description="Your own cloud-config or script (#!), which runs on the first boot.",
            examples=["#!/bin/sh\napt-get -y install htop\n"],
        ),
    ] = ""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt are written on the node before it is asked."""
    at = await need_metal(step, params.connection)
    want = await _want(step, at, params)
    call = at.cloud.deploy if params.how == "deploy" else at.cloud.reinstall
    made = await drive(step, params.connection, partial(call, want))
    if isinstance(made, Wait):
        return made
    takes = (Resource("node", f"{params.connection} {at.ref.node}"),)
    return Done(await seen(step, at, made), takes=takes if params.how == "deploy" else ())


async def _want(step: Step, at: At, params: Params) -> MetalWant:
    async with step.database.transaction() as tx:
        row = await tx.fetchrow(
            'SELECT o.selection, s.hostname FROM service s JOIN client_order o ON o.id = s."order" '
            "WHERE s.id = $1",
            at.ref.service,
        )
        if row is None:
            raise StepFailed("the service is gone")
        selection = msgspec.json.decode(row["selection"], type=Selection)
        access = await keep_access(
            tx, step.tools.vault, at.ref.service, keys_only=bool(selection.ssh_keys)
        )
    image = params.images.get(selection.os)
    if image is None:
        raise StepFailed(
            f"there is no image of {selection.os}, which was ordered; add one to the node's images"
        )
    password = access.password
    return MetalWant(
        ref=at.ref,
        attempt=f"{step.key}#{step.attempt}",
        image=Image(url=image.url, checksum=image.checksum),
        hostname=row["hostname"],
        link=await link_of(step, at),
        user=access.username,
        password_hash=None if password is None else Secret(hash_password(password)),
        ssh_keys=selection.ssh_keys,
        user_data=params.user_data,
    )


async def undo(step: Step, _: Any) -> Wait | None:
    """Take the system off and have the disks cleaned, if the order still has the server."""
    params = await intended(step, Params)
    if params is None or params.how != "deploy":
        return None
    at = await metal_at(step, params.connection)
    if at is None:
        return None
    left = await drive(step, params.connection, partial(at.cloud.release, at.ref))
    return left if isinstance(left, Wait) else None


node = NodeType(
    name="action.metal_install",
    title="Install at a cloud",
    summary="Has a cloud of bare metal write an image on the order's server, and configures it.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=ServerOutput,
    takes=("node",),
    says=lambda params: f"Installs the ordered system at {params.connection}",
    timeline="Operating system installed",
    docs="""
Takes exactly the server that the order was given, at the cloud that has its BMC, and has the image
written on its disk. A config drive carries the order's addresses and VLAN, the client's keys or a
password, and your own user data. The cloud's node is found by the server's MAC, else by its name.

```json
{
  "connection": "fra-ironic",
  "images": {
    "debian-12": {
      "url": "https://images.example.net/debian-12.qcow2",
      "checksum": "https://images.example.net/SHA512SUMS"
    }
  }
}
```

Where the cloud fails at it the step fails with the cloud's words, and the node's retry policy
tries again; lead the error port to `action.quarantine_server` to take another server. Undoing it
takes the system off and has the disks cleaned. `reinstall` keeps the node and is not undone.
""",
)
