"""A channel that takes messages through an incoming webhook."""

from enum import StrEnum
from typing import Literal

import msgspec

from app.drivers.secret import Secret

Level = Literal["info", "success", "warning", "danger"]


class ChatKind(StrEnum):
    """Whose webhook it is, which decides what a message looks like."""

    SLACK = "slack"
    """Rocket.Chat takes its form too."""
    MATTERMOST = "mattermost"
    TEAMS = "teams"
    """A Teams workflow "when a webhook request is received"."""
    DISCORD = "discord"


class ChatRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages go. The address itself is the credential: who knows it may write."""

    name: str
    """What errors call it."""
    kind: ChatKind
    url: Secret


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Text as a person writes it: no markup, no mentions."""

    text: str
    title: str = ""
    level: Level = "info"
    link: str = ""
    """Where the title leads."""
