"""action.chat_webhook: write to the team's chat."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.drivers.chat.contract import ChatMessage, ChatRoom, Level
from app.flows.doubt import Doubts
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Annotated[
        str,
        Meta(
            title="Connection",
            description="The connection of kind chat that leads to the channel.",
            examples=["ops-channel"],
            min_length=1,
            extra_json_schema={"x-connection": "chat"},
        ),
    ]
    text: Annotated[
        str,
        Meta(
            title="Text",
            description="What is written. It is plain text: markup and mentions are shown as they "
            "are typed, since parts of it may come from clients.",
            examples=["Order ${input.number} is delivered."],
            min_length=1,
        ),
    ]
    title: Annotated[
        str,
        Meta(title="Title", description="A heading above it.", examples=["Delivered"]),
    ] = ""
    level: Annotated[
        Level,
        Meta(
            title="Level",
            description="What colour the message has: info, success, warning or danger.",
            examples=["success"],
        ),
    ] = "info"
    link: Annotated[
        str,
        Meta(
            title="Link",
            description="Where the title, or a button, leads: a whole address.",
            examples=["https://portal.example.net/admin/orders/${input.order}"],
            pattern="^(https?://.*)?$",
        ),
    ] = ""


class Output(msgspec.Struct, frozen=True):
    connection: Annotated[str, Meta(description="By which connection it was sent.")]


async def do(step: Step, params: Params) -> Done:
    """Not idempotent, and treated as if it were: a message that is there twice does no harm."""
    room = await step.tools.connections.get(step, params.connection, ChatRoom)
    message = ChatMessage(
        text=params.text, title=params.title, level=params.level, link=params.link
    )
    with Doubts():
        await step.tools.peers.chat.send(room, message)
    return Done(Output(params.connection))


def says(params: Params) -> str:
    return f"Writes to {params.connection}: {' '.join((params.title or params.text).split())[:200]}"


node = NodeType(
    name="action.chat_webhook",
    title="Chat message",
    summary="Writes to a channel of Slack, Mattermost, Teams or Discord.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    says=says,
    docs="""
Sends a message to a chat channel. The channel is a connection of kind chat, which holds the
address of its incoming webhook; the same node serves Slack, Rocket.Chat, Mattermost, Microsoft
Teams and Discord.

```json
{
  "connection": "ops-channel",
  "title": "Server put aside",
  "text": "${steps.server.name}: ${error.message}",
  "level": "warning"
}
```

After a crash between the message and its acknowledgement it is sent again, so that it may be there
twice. A chat that is away should not hold up an order: give the node an edge from `error`.
""",
)
