"""The account of an order in sentences: the same ones on the page and in the terminal."""

from app.domain.orders.explain import OrderAccount
from app.solver.account import TierScore

TIER_WORDS = {
    "datacentre": "the datacentre that is preferred",
    "equivalence": "the CPU model",
    "waste": "the smaller machine",
    "spread": "fewer machines of the client in its rack",
    "rack": "the rack that is preferred",
}


def verdict(told: OrderAccount) -> str:
    counts = told.account.explanation
    return f"{counts.eligible:,} of {counts.total:,} free servers serve it."


def why_the_best(told: OrderAccount) -> str | None:
    """Return which server is the best and why; None where nothing serves the order."""
    chosen = told.account.chosen
    if chosen is None:
        return None
    return f"The best is {told.names[chosen]}{_because(told.account.against, 'the next')}."


def why_not(told: OrderAccount) -> str | None:
    """Return why the server that was asked about was not chosen; None for the best itself."""
    asked = told.account.asked
    if asked is None or asked.server == told.account.chosen:
        return None
    name = told.names[asked.server]
    if not asked.is_free:
        return f"{name} is not in stock."
    if asked.failed:
        return f"{name} fails: {'; '.join(asked.failed)}."
    return f"{name} serves it too; the best one goes before it{_because(asked.against, 'it')}."


def _because(scores: tuple[TierScore, ...], other: str) -> str:
    for score in scores:
        if score.decides:
            return f" for {TIER_WORDS[score.tier]} ({score.chosen}; {other} has {score.other})"
    return ", drawn among equals" if scores else ""
