"""The six tones in which the interface speaks; css decides their colours."""

from typing import Literal

from app.components.icon import IconName

Tone = Literal["neutral", "accent", "info", "success", "warning", "danger"]

TONE_ICONS: dict[Tone, IconName] = {
    "neutral": "info",
    "accent": "info",
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "danger": "circle-alert",
}
