"""Talking to a running lab from another process, by its lab.json."""

import contextlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

LIMIT_S = 10.0


class NoLab(Exception):
    """No lab answers for the folder, or it refused; the message says which."""


def call(folder: Path, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
    """Return the lab's JSON answer; raise NoLab."""
    lab_json = folder / "lab.json"
    try:
        url = json.loads(lab_json.read_bytes())["url"]
    except (OSError, ValueError, KeyError):
        raise NoLab(f"No lab runs in {folder} (there is no readable lab.json).") from None
    body = json.dumps(document).encode() if document is not None else None
    request = urllib.request.Request(  # noqa: S310 - the URL is the lab's own
        url + path, data=body, method=method, headers={"Content-Type": "application/json"}
    )
    # The lab is on loopback: no proxy of the environment may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=LIMIT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        with problem:
            said = problem.read().decode(errors="replace")
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(said)["error"]
        raise NoLab(f"The lab refused: {said}") from None
    except (OSError, ValueError) as problem:
        raise NoLab(f"The lab at {url} does not answer: {problem}") from None
