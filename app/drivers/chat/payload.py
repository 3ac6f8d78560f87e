"""A message in the form that each chat takes. Pure.

What flows write comes from clients too (host names, notes): it must neither call everybody by
`@channel` nor give a link another name, so every chat's own markup is taken out of it.
"""

import re
from typing import Any

from app.drivers.chat.contract import ChatKind, ChatMessage, Level

LONGEST_CHARS = 3_000
LONGEST_DISCORD_CHARS = 1_900
"""Discord refuses a content over 2,000."""
COLOURS: dict[Level, str] = {
    "info": "#4263eb",
    "success": "#2f9e44",
    "warning": "#f08c00",
    "danger": "#e03131",
}
TEAMS_COLOURS: dict[Level, str] = {
    "info": "Accent",
    "success": "Good",
    "warning": "Warning",
    "danger": "Attention",
}
_BREAK = "\u200b"
"""A space of no width: `@` before it calls nobody."""
_MARKUP = re.compile(r"([\\`*_~|\[\]<>#])")


def payload(kind: ChatKind, message: ChatMessage) -> dict[str, Any]:
    """Return the JSON that the webhook takes."""
    match kind:
        case ChatKind.SLACK:
            return _slack(message)
        case ChatKind.MATTERMOST:
            return _mattermost(message)
        case ChatKind.TEAMS:
            return _teams(message)
        case ChatKind.DISCORD:
            return _discord(message)


def _slack(message: ChatMessage) -> dict[str, Any]:
    """Source: api.slack.com, "Formatting text": three characters are to be escaped, no more."""
    part: dict[str, Any] = {
        "color": COLOURS[message.level],
        "text": _slack_text(message.text),
        "mrkdwn_in": [],  # stars and underscores stay what they are
        "fallback": _slack_text(message.title or message.text),
    }
    if message.title:
        part["title"] = _slack_text(message.title)
    if message.link:
        part["title_link"] = message.link
    return {"attachments": [part]}


def _slack_text(text: str) -> str:
    escaped = _cut(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("@", "@" + _BREAK)


def _mattermost(message: ChatMessage) -> dict[str, Any]:
    part: dict[str, Any] = {
        "color": COLOURS[message.level],
        "text": _markdown(message.text),
        "fallback": _markdown(message.title or message.text),
    }
    if message.title:
        part["title"] = _markdown(message.title)
    if message.link:
        part["title_link"] = message.link
    return {"attachments": [part]}


def _teams(message: ChatMessage) -> dict[str, Any]:
    """Source: learn.microsoft.com, "Incoming webhooks with Workflows"; Adaptive Cards 1.4."""
    body: list[dict[str, Any]] = []
    if message.title:
        body.append(
            {
                "type": "TextBlock",
                "text": _markdown(message.title),
                "weight": "Bolder",
                "size": "Medium",
                "color": TEAMS_COLOURS[message.level],
                "wrap": True,
            }
        )
    body.append({"type": "TextBlock", "text": _markdown(message.text), "wrap": True})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _discord(message: ChatMessage) -> dict[str, Any]:
    part: dict[str, Any] = {
        "description": _markdown(message.text)[:LONGEST_DISCORD_CHARS],
        "color": int(COLOURS[message.level][1:], 16),
    }
    if message.title:
        part["title"] = _markdown(message.title)[:250]
    if message.link:
        part["url"] = message.link
    return {"embeds": [part], "allowed_mentions": {"parse": []}}


def _markdown(text: str) -> str:
    return _MARKUP.sub(r"\\\1", _cut(text)).replace("@", "@" + _BREAK)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CHARS else text[: LONGEST_CHARS - 1] + "…"
