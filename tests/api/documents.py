"""Flow documents for tests: a paid order that is mailed about, with what a test changes."""

from copy import deepcopy
from typing import Any

DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "flow": "greet",
    "name": "Greet",
    "nodes": {
        "paid": {"type": "trigger.order_paid", "v": 1, "name": "Order paid"},
        "mail": {
            "type": "action.send_mail",
            "v": 1,
            "name": "Say hello",
            "with": {"template": "service-delivered"},
        },
    },
    "edges": [["paid.out", "mail.in"]],
}


def document(*, flow: str = "greet", name: str = "Greet", tries: int = 1, **more: Any) -> Any:
    made = deepcopy(DOCUMENT) | {"flow": flow, "name": name} | more
    if tries > 1:
        made["nodes"]["mail"]["retry"] = {"max": tries}
    return made


def broken() -> Any:
    made = document()
    made["nodes"]["mail"]["type"] = "action.levitate"
    made["edges"].append(["mail.out", "nowhere.in"])
    return made
