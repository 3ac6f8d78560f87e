"""Column types and defaults that every table shares."""

from typing import Any

from piccolo.columns import ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.columns.column_types import UUID
from piccolo.constraints import Constraint
from piccolo.table import Table

from app.core.ids import new_id


class Cidr(Varchar):
    """PostgreSQL `cidr`; asyncpg reads it as `ipaddress` networks."""

    def __init__(self, *, default: str | None = None, **kwargs: Any) -> None:
        super().__init__(length=None, default=default, **kwargs)

    @property
    def column_type(self) -> str:
        return "CIDR"


class Inet(Varchar):
    """PostgreSQL `inet`; asyncpg reads it as `ipaddress` addresses."""

    def __init__(self, *, default: str | None = None, **kwargs: Any) -> None:
        super().__init__(length=None, default=default, **kwargs)

    @property
    def column_type(self) -> str:
        return "INET"


class Exclude(Constraint):
    """No two rows (of those `where` holds for) agree in all of `elements`; kept by a GiST index.

    `elements` is SQL: `expression WITH operator`, by commas. GiST compares no uuid, but
    `uuidrange(id, id, '[]') WITH &&`.
    """

    def __init__(self, elements: str, *, where: str = "") -> None:
        self.elements = elements
        self.where = where
        super().__init__(elements=elements, where=where)

    @property
    def ddl(self) -> str:
        where = f" WHERE ({self.where})" if self.where else ""
        return f"EXCLUDE USING gist ({self.elements}){where}"

    def serialise_self(self) -> None:
        """Nothing: its parts are text already."""

    def _table_str(self) -> str:
        return f"Exclude({self.elements!r}, where={self.where!r})"


def key() -> UUID:
    """Return a UUIDv7 primary key."""
    return UUID(primary_key=True, default=new_id)


def reference(
    table: type[Table], *, null: bool = False, unique: bool = False, index: bool = True
) -> ForeignKey[Any]:
    """Return a foreign key that refuses to delete what is referred to.

    Piccolo's own default is CASCADE, which would let one DELETE take a client's history along.
    Without `index` another index, such as a constraint's that begins with it, serves it.
    """
    return ForeignKey(
        references=table,
        null=null,
        unique=unique,
        index=index and not unique,
        default=None,
        on_delete=OnDelete.restrict,
    )


def moment(*, null: bool = False, index: bool = False) -> Timestamptz:
    """Return a UTC time without a default: the clock of the transaction gives it."""
    return Timestamptz(null=null, default=None, index=index)


def text(
    *, null: bool = False, unique: bool = False, index: bool = False, default: str | None = None
) -> Text:
    """Return a text column; without a default, leaving it out is an error."""
    return Text(null=null, unique=unique, index=index, default=default)
