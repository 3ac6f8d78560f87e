"""action.metal_install: have a cloud of bare metal write an image on the order's server."""

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.domain.catalog.selection import Selection
from app.domain.inventory.put_back import note_writing
from app.domain.services.ask import note_reinstalled
from app.domain.services.credentials import keep_access
from app.drivers.deploy.netboot.passwords import hash_password
from app.drivers.metal.contract import Image, MetalWant
from app.drivers.secret import Secret
from app.flows.intent import intended
from app.flows.machines import drive, where
from app.flows.metal import (
    At,
    Connection,
    ServerOutput,
    link_of,
    metal_at,
    need_metal,
    seen,
    taken_down,
)
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait


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
    connection: Connection = ""
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
    os: Annotated[
        str,
        Meta(
            title="System",
            description="Code of the image to install; the one that the service has when empty.",
            examples=["=steps.begin.wanted_os", "debian-12"],
        ),
    ] = ""
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
    want, os = await _want(step, at, params)
    call = at.cloud.deploy if params.how == "deploy" else at.cloud.reinstall
    made = await drive(step, at.connection, partial(call, want))
    if isinstance(made, Wait):
        return made
    output = await seen(step, at, made)
    if params.how == "deploy":
        return Done(output, takes=(at.resource,))
    async with step.database.transaction() as tx:
        await note_reinstalled(tx, at.ref.service, os)
    return Done(output)


async def _want(step: Step, at: At, params: Params) -> tuple[MetalWant, str]:
    """Return what is to run on the server, and the code of its system.

    From then on its disks may hold data.
    """
    async with step.database.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT o.selection, s.hostname, s.os_code FROM service s "
            'JOIN client_order o ON o.id = s."order" WHERE s.id = $1',
            at.ref.service,
        )
        if row is None:
            raise StepFailed("the service is gone")
        os = params.os or row["os_code"]
        image = params.images.get(os)
        if image is None:
            raise StepFailed(f"there is no image of {os}; add one to the node's images")
        selection = msgspec.json.decode(row["selection"], type=Selection)
        access = await keep_access(
            tx, step.tools.vault, at.ref.service, keys_only=bool(selection.ssh_keys)
        )
        await note_writing(tx, at.server)
    # A password that was made for a rescue does not open a system that was ordered with keys.
    password = None if selection.ssh_keys else access.password
    want = MetalWant(
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
    return want, os


async def undo(step: Step, _: Any) -> Wait | None:
    """Take the system off and have the disks cleaned, if the order still has the server."""
    params = await intended(step, Params)
    if params is None or params.how != "deploy":
        return None
    at = await metal_at(step, params.connection)
    if at is None:
        return None
    left = await taken_down(step, at)
    return left if isinstance(left, Wait) else None


def _says(params: Params) -> str:
    if params.how == "deploy":
        return f"Installs the ordered system{where(params.connection) or ' at its cloud'}"
    return f"Installs {params.os or 'the same system'} anew; all data are lost"


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
    says=_says,
    timeline="Operating system installed",
    docs="""
Takes exactly the server that the order was given, at the cloud that has its BMC, and has the image
written on its disk. A config drive carries the order's addresses and VLAN, the client's keys or a
password, and your own user data. The cloud's node is found by the server's MAC, else by its name.

```json
{
  "images": {
    "debian-12": {
      "url": "https://images.example.net/debian-12.qcow2",
      "checksum": "https://images.example.net/SHA512SUMS"
    }
  }
}
```

Without a `connection` every cloud is asked for the server, once: it is written down where it is.

Where the cloud fails at it the step fails with the cloud's words, and the node's retry policy
tries again; lead the error port to `action.metal_release`, which keeps the server, and on to
`action.quarantine_server` to take another one. Undoing it takes the system off and has the disks
cleaned. `reinstall` keeps the node, installs `os` and is not undone; a rescue ends with it.
""",
)
