"""trigger.webhook: a call from outside starts it."""

from typing import Annotated, Any, Literal

import msgspec

from app.flows.document import BadDocument, duration
from app.flows.node import Effect, NodeType
from app.flows.triggers.says import saying

HOOKS = "/hooks/"


class Params(msgspec.Struct, frozen=True):
    """Where it is called, who may, and which calls are the same one."""

    path: Annotated[
        str,
        msgspec.Meta(
            title="Path",
            description="It is called at /hooks/ and this. Without authentication whoever knows "
            "it may call: take one that nobody guesses.",
            pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$",
            max_length=120,
            examples=["github/deploy", "k7Qm2xV9"],
        ),
    ]
    methods: Annotated[
        tuple[Literal["POST", "PUT", "PATCH", "DELETE", "GET"], ...],
        msgspec.Meta(title="Methods", description="HTTP methods that start it.", min_length=1),
    ] = ("POST",)
    auth: Annotated[
        Literal["none", "token", "hmac"],
        msgspec.Meta(
            title="Authentication",
            description="`token`: the caller sends the secret; `hmac`: it signs what it sends.",
        ),
    ] = "none"
    connection: Annotated[
        str,
        msgspec.Meta(
            title="Connection",
            description="Name of the connection whose secret is the token, or signs.",
            examples=["github"],
        ),
    ] = ""
    scheme: Annotated[
        Literal["body", "standard", "stripe", "slack"],
        msgspec.Meta(
            title="Signature",
            description="`body`: of the body alone, as GitHub and Shopify sign; `standard`: "
            "Standard Webhooks; `stripe` and `slack`: as these do. The last three are bound to "
            "the time of sending.",
        ),
    ] = "body"
    header: Annotated[
        str,
        msgspec.Meta(
            title="Header",
            description="Header of the token (else Authorization: Bearer) or of a signature of "
            "the body (else X-Hub-Signature-256).",
            pattern=r"^[A-Za-z0-9-]*$",
            examples=["X-Gitlab-Token", "X-Shopify-Hmac-Sha256"],
        ),
    ] = ""
    algorithm: Annotated[
        Literal["sha256", "sha1", "sha512"],
        msgspec.Meta(title="Hash", description="Hash of a signature of the body."),
    ] = "sha256"
    delivery_header: Annotated[
        str,
        msgspec.Meta(
            title="Delivery header",
            description="Header with the sender's own id of the delivery: the same id again is "
            "the same run.",
            pattern=r"^[A-Za-z0-9-]*$",
            examples=["X-GitHub-Delivery"],
        ),
    ] = ""
    delivery_field: Annotated[
        str,
        msgspec.Meta(
            title="Delivery field",
            description="The same, as a field of the body.",
            pattern=r"^(\$\.)?[^.\s]+(\.[^.\s]+)*$|^$",
            examples=["$.event.id"],
        ),
    ] = ""
    window: Annotated[
        str,
        msgspec.Meta(
            title="Same within",
            description="A call that is the same to the last byte starts nothing for this long. "
            "`0s`: every call counts that has no id, or a new one.",
            examples=["10m"],
        ),
    ] = "10m"
    per_minute: Annotated[
        int,
        msgspec.Meta(
            title="Calls a minute",
            description="More are told to come later.",
            ge=1,
            le=10_000,
        ),
    ] = 120

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be called."""
        if self.auth != "none" and not self.connection:
            raise ValueError("authentication needs a connection, whose secret it is checked by")
        try:
            duration(self.window)
        except BadDocument as error:
            raise ValueError(error.message) from error


class Output(msgspec.Struct, frozen=True):
    """What was sent. Headers and query fields that carry secrets are hidden."""

    method: str = ""
    path: str = ""
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None


node = NodeType(
    name="trigger.webhook",
    title="Webhook",
    summary="Starts when another system calls an address of ours.",
    params=Params,
    effect=Effect.PURE,
    do=saying(Output),
    output=Output,
    trigger="webhook",
    says=lambda params: f"Begins with a call of {HOOKS}{params.path}",
    docs="""Called at `/hooks/PATH`, it answers 202 with the id of the run at once; the run goes on
by itself. JSON and form fields arrive as `=input.body`, anything else as text.

```json
{"path": "github/deploy", "auth": "hmac", "connection": "github",
 "delivery_header": "X-GitHub-Delivery"}
```
The same delivery again answers with the run that is there: by the sender's id where it has one, and
by all that was sent within `window`. A call that is not signed starts nothing and is not kept. The
flow's `inputs`, if it has any, are checked against the whole: `method`, `query`, `headers`, `body`.
""",
)
