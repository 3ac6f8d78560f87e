"""A game server on its service's page: where to play, and how to run it."""

import htpy as h

from app.components.button import link_button
from app.components.card import card
from app.components.facts import code, copyable, facts
from app.components.notice import notice
from app.components.portal.service_access import Shown, password_fact, reveal_notice
from app.domain.services.views import GameFacts, ServiceView


def game_cards(
    service: ServiceView, game: GameFacts, *, shown: Shown | None, csrf: str
) -> list[h.Element]:
    """Return where players connect, and the panel with its user; with `shown`, its password."""
    return [_play(service, game), _panel(service, game, shown=shown, csrf=csrf)]


def _play(service: ServiceView, game: GameFacts) -> h.Element:
    limits = game.limits
    rows: list[tuple[str, h.Node]] = [
        ("Address", copyable(service.address, label="Copy") if service.address else "–"),
        ("Game", game.name),
        ("Size", limits.words),
    ]
    extras = (("Databases", limits.databases), ("Backups", limits.backups))
    rows += [(name, str(number)) for name, number in extras if number]
    return card(facts(rows), title="Play", symbol="gamepad-2")


def _panel(service: ServiceView, game: GameFacts, *, shown: Shown | None, csrf: str) -> h.Element:
    rows: list[tuple[str, h.Node]] = [("User", code(service.username))]
    if service.has_password:
        rows.append(("Password", password_fact(service, shown, csrf)))
    else:
        rows.append(("Password", "The one that you have at the panel"))
    return card(
        h.div(".sw-stack")[
            reveal_notice(shown),
            facts(rows),
            link_button("Open the panel", game.panel_url, weight="primary", symbol="external-link")
            if game.panel_url
            else notice("info", "The panel’s page comes with the server", ""),
        ],
        title="Run it",
        symbol="key-round",
        id_="access",
    )
