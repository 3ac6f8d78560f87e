"""Making a server and its owner: looked for first, made once, waited for."""

from typing import Any

from app.drivers.errors import Retriable
from app.drivers.game.contract import (
    GameServer,
    GameState,
    GameUser,
    GameWant,
    Owner,
    Working,
)
from app.drivers.game.pterodactyl import life
from app.drivers.game.pterodactyl.api import Api, Failed, NotThere
from app.drivers.game.pterodactyl.read import egg_code, limits_body, user_of, username_of

INSTALLING = "Installing the game"
LOOK_S = 5.0


async def create(api: Api, want: GameWant, memo: dict[str, Any]) -> GameServer | Working:
    """Look for it, make it, wait. Its external id is unique: what was not answered for is found."""
    server = await life.find(api, want.service)
    if server is None:
        await _make(api, want)
        return Working({}, LOOK_S, INSTALLING)
    match server.state:
        case GameState.INSTALLING | GameState.BUSY:
            return Working(memo, LOOK_S, INSTALLING)
        case GameState.FAILED if not memo.get("again"):
            await api.post(f"servers/{server.id}/reinstall")
            return Working({"again": True}, LOOK_S, "Its installation failed; installing it again")
        case GameState.FAILED:
            reason = f"it failed twice on {server.node}; its log is at {server.panel_url}"
            raise Failed(api.name, field="installation", reason=reason)
    return server


async def _make(api: Api, want: GameWant) -> None:
    egg = await _egg(api, want.egg)
    defaults = {
        found["attributes"]["env_variable"]: str(found["attributes"]["default_value"] or "")
        for found in egg["relationships"]["variables"]["data"]
    }
    if unknown := sorted(want.variables.keys() - defaults.keys()):
        reason = f"{want.egg} has no such variable; it has {', '.join(defaults) or 'none'}"
        raise Failed(api.name, field=f"variables.{unknown[0]}", reason=reason)
    locations = await _locations(api, want.locations)
    user = await owner_of(api, want.owner)
    body = {
        "external_id": str(want.service),
        "name": want.name,
        "user": int(user.id),
        "egg": egg["id"],
        "docker_image": want.image or egg["docker_image"],
        "startup": egg["startup"],
        "environment": defaults | want.variables,
        **limits_body(want.limits),
        "deploy": {"locations": locations, "dedicated_ip": False, "port_range": []},
        "start_on_completion": True,
    }
    try:
        await api.post("servers", body)
    except Failed as error:
        if error.field == "user":
            raise Retriable(
                api.name, "its owner was removed meanwhile, and is made anew"
            ) from error
        if error.field != "external_id":
            raise
        # It was made meanwhile, by a call that nobody knows the outcome of: it is found now.


async def owner_of(api: Api, owner: Owner) -> GameUser:
    """Return the account's user; one who has its address already is taken as it is."""
    found = await _user(api, owner)
    if found is not None:
        return found
    body = {
        "external_id": str(owner.account),
        "email": owner.email,
        "username": username_of(owner.email, owner.account),
        "first_name": owner.first_name,
        "last_name": owner.last_name,
        "password": owner.password.reveal(),
    }
    try:
        made = await api.post("users", body)
    except Failed as error:
        # Two orders of a new client at once: the other one made it.
        found = await _user(api, owner) if error.field != "permission" else None
        if found is None:
            raise
        return found
    return user_of(made["attributes"], owner.account)


async def _user(api: Api, owner: Owner) -> GameUser | None:
    try:
        found = await api.get(f"users/external/{owner.account}")
    except NotThere:
        pass
    else:
        return user_of(found["attributes"], owner.account)
    # The filter finds addresses that merely contain this one.
    rows = await api.pages("users", **{"filter[email]": owner.email})
    same = [row for row in rows if row["email"].lower() == owner.email.lower()]
    return user_of(same[0], owner.account) if same else None


async def _egg(api: Api, code: str) -> dict[str, Any]:
    known = []
    for nest in await api.pages("nests"):
        if not code.startswith(nest["name"]):
            continue
        rows = await api.get(f"nests/{nest['id']}/eggs", include="variables")
        for row in rows["data"]:
            egg: dict[str, Any] = row["attributes"]
            known.append(egg_code(nest["name"], egg["name"]))
            if known[-1] == code:
                return egg
    beside = f"; beside it there are {', '.join(known)}" if known else ""
    raise Failed(api.name, field="egg", reason=f"there is no {code}{beside}")


async def _locations(api: Api, codes: tuple[str, ...]) -> list[int]:
    if not codes:
        return []
    known = {row["short"]: int(row["id"]) for row in await api.pages("locations")}
    for code in codes:
        if code not in known:
            reason = f"there is no {code}; there are {', '.join(known) or 'none'}"
            raise Failed(api.name, field="location", reason=reason)
    return [known[code] for code in codes]
