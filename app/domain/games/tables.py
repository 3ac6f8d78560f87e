"""The game servers of services, their owners at the panels, and what panels have left."""

from piccolo.columns import JSONB, Boolean, Bytea, Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.accounts.tables import Account
from app.domain.services.tables import Service


class GameServer(Table, tablename="game_server"):
    """The game server of one service, at the panel of that connection.

    `made_of` is a `games.rules.MadeOf`. `state` and what follows are as the panel last said. It is
    planned while `made_at` is empty; since `removed_at` its panel has it no more. `short` is how
    the panel's client API names it; `drift` is how it differs from its service.
    """

    id = key()
    service = reference(Service, unique=True)
    connection = text(index=True)
    datacentre = text(default="")
    made_of = JSONB()
    number = text(default="")
    node = text(default="")
    state = text(default="")
    address = text(default="")
    username = text(default="")
    panel_url = text(default="")
    planned_at = moment()
    seen_at = moment(null=True)
    made_at = moment(null=True)
    removed_at = moment(null=True)
    power = text(default="unknown")
    power_seen_at = moment(null=True)
    short = text(default="")
    drift = text(default="")
    drift_since = moment(null=True)

    known_power = Check("power IN ('on', 'off', 'unknown')")
    known_drift = Check("drift IN ('', 'gone', 'left_over', 'not_suspended', 'suspended')")
    drift_with_time = Check("(drift = '') = (drift_since IS NULL)")


class GameUser(Table, tablename="game_user"):
    """The user that an account gets at a panel, before it is known whether one is made.

    `told_by` is the service whose delivery tells the password: the client may change it then.
    """

    id = key()
    connection = text()
    account = reference(Account)
    sealed_password = Bytea()
    told_by = reference(Service, null=True)
    created_at = moment()

    game_user_once = Unique([connection, account])


class GameRoom(Table, tablename="game_room"):
    """What one node of a panel had left when it was last asked; null is without limit."""

    id = key()
    connection = text()
    node = text()
    location = text()
    is_open = Boolean()
    free_memory_mb = Integer(null=True, default=None)
    free_disk_mb = Integer(null=True, default=None)
    free_ports = Integer()
    seen_at = moment()

    game_room_once = Unique([connection, node])
