"""A file of prefixes or addresses as it was read: its rows, and what is wrong with them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from app.domain.addresses.seed import PrefixSeed, VlanGroupSeed, VrfSeed

OURS = frozenset(PrefixSeed.__struct_fields__)


class Outcome(StrEnum):
    """What a row means for what is there already."""

    new = "new"
    """It is not there yet."""

    differs = "differs"
    """It is there, and is brought to what the row says."""

    same = "same"
    """It is there as the row says, or stays as it is."""


class AddressSeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An address that somebody has, as another system wrote it down."""

    address: str
    vrf: str
    purpose: str
    reason: str


class Fault(NamedTuple):
    """Why nothing can be made of a row, and what to do; `field` is named as in the file."""

    field: str
    """Empty for the whole row."""
    says: str

    def __str__(self) -> str:
        return f"{self.field}: {self.says}" if self.field else self.says


class SheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the file, and what is to be made of it."""

    number: int
    """Its line, of several its last; of JSON its place, from 1."""
    text: str
    what: PrefixSeed | AddressSeedRow | None = None
    says: frozenset[str] = OURS
    """The fields of a prefix that the row speaks of: another system knows fewer than we do."""
    faults: tuple[Fault, ...] = ()
    note: str = ""
    """What is done otherwise than the row says."""
    outcome: Outcome = Outcome.same
    changes: tuple[str, ...] = ()
    """What differs, each as it was and will be."""

    @property
    def fault(self) -> str:
        return " ".join(fault.says for fault in self.faults)


class RowFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a row of a file, for programs."""

    row: int
    text: str
    field: str
    message: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file; `is_ours` when it was exported here, and so says all that there is to say."""

    rows: tuple[SheetRow, ...]
    vrfs: tuple[VrfSeed, ...] = ()
    vlan_groups: tuple[VlanGroupSeed, ...] = ()
    is_ours: bool
    columns: Mapping[str, str]
    """The column of a field, where it is not named as the field is."""

    def as_in_file(self, row: SheetRow) -> SheetRow:
        """Return a row whose faults name the columns that the file has."""
        faults = tuple(
            fault._replace(field=self.columns.get(fault.field, fault.field)) for fault in row.faults
        )
        return msgspec.structs.replace(row, faults=faults)
