"""The answers to the order form: read from its fields, every bad field with its message.

A field is called as its group's `code`. Beside them there are `hostname`, `currency`,
`cycle` and `ssh_key` (a public key pasted in); no group may take these names.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from app.core.errors import Invalid
from app.domain.accounts.ssh_keys import read_public_key
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.hostname import hostname_fault
from app.domain.catalog.views import OptionGroupView, OptionKind, ProductView

OS = "os"
PANEL = "panel"
EXTRA_IPV4 = "extra_ipv4"
SSH_KEYS = "ssh_keys"
DATACENTRE = "datacentre"
LAYOUT = "layout"
PASTED_KEY = "ssh_key"
RESERVED = frozenset(
    {"hostname", "currency", "cycle", PASTED_KEY, "idempotency_key", "_csrf_token"}
)

Fields = Mapping[str, str | Sequence[str]]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What a client chose. `os` and `panel` are option codes; `os` is "" where none is asked.

    `ssh_keys` are checked lines, `kind base64`: of pasted keys when read from the form, and of
    all keys once the order is placed. Without any key a password is made at delivery.
    """

    hostname: str
    currency: str
    cycle: Cycle
    os: str = ""
    panel: str | None = None
    extra_ipv4: int = 0
    ssh_key_ids: tuple[UUID, ...] = ()
    ssh_keys: tuple[str, ...] = ()
    choices: dict[str, str] = {}
    """Option code by group code, for groups of an operator's own."""
    quantities: dict[str, int] = {}
    """Number by group code, for groups of an operator's own."""

    def choice(self, group: str) -> str | None:
        """Return the code of the option that was chosen in a group, None for none."""
        if group == OS:
            return self.os or None
        return self.panel if group == PANEL else self.choices.get(group)

    def quantity(self, group: str) -> int:
        return self.extra_ipv4 if group == EXTRA_IPV4 else self.quantities.get(group, 0)


def read_selection(product: ProductView, form: Fields) -> Selection:
    """Return the answers in `form`.

    Raises Invalid with a message for each bad field. Unknown fields are not looked at. The
    ids of keys are only well-formed: whose they are, `orders.place` checks.
    """
    return _Reader(product, form).read()


def check_selection(product: ProductView, selection: Selection) -> None:
    """Raise Invalid unless `selection` is what `read_selection` makes of its own fields."""
    if read_selection(product, fields_of(selection)) != selection:
        raise Invalid({"": f"{product.name} has changed since you chose; please choose again."})


def fields_of(selection: Selection) -> dict[str, str | list[str]]:
    """Return the form's fields that read as `selection`, to fill a form with it."""
    return {
        "hostname": selection.hostname,
        "currency": selection.currency,
        "cycle": selection.cycle.value,
        OS: selection.os,
        PANEL: selection.panel or "",
        EXTRA_IPV4: str(selection.extra_ipv4),
        SSH_KEYS: [str(key) for key in selection.ssh_key_ids],
        PASTED_KEY: "\n".join(selection.ssh_keys),
        **selection.choices,
        **{code: str(number) for code, number in selection.quantities.items()},
    }


class _Reader:
    """Reads one form; collects what is wrong instead of stopping at the first."""

    def __init__(self, product: ProductView, form: Fields) -> None:
        self.product = product
        self.form = form
        self.faults: dict[str, str] = {}

    def read(self) -> Selection:
        currency, cycle = self.currency_and_cycle()
        choices: dict[str, str] = {}
        quantities: dict[str, int] = {}
        key_ids: tuple[UUID, ...] = ()
        asks_keys = any(group.kind is OptionKind.ssh_keys for group in self.product.groups)
        keys = self.pasted_keys() if asks_keys else ()
        for group in self.product.groups:
            if group.kind is OptionKind.choice:
                chosen = self.choice(group, currency, cycle)
                if chosen:
                    choices[group.code] = chosen
            elif group.kind is OptionKind.quantity:
                quantities[group.code] = self.number(group, currency, cycle)
            else:
                key_ids = self.key_ids(group, pasted=len(keys))
        hostname = self.one("hostname").lower().removesuffix(".")
        if fault := hostname_fault(hostname):
            self.faults["hostname"] = fault
        if self.faults:
            raise Invalid(self.faults)
        return Selection(
            hostname=hostname,
            currency=currency,
            cycle=cycle,
            os=choices.pop(OS, ""),
            panel=choices.pop(PANEL, None),
            extra_ipv4=quantities.pop(EXTRA_IPV4, 0),
            ssh_key_ids=key_ids,
            ssh_keys=keys,
            choices=choices,
            quantities=quantities,
        )

    def one(self, name: str) -> str:
        value = self.form.get(name, "")
        if not isinstance(value, str):
            value = value[0] if value else ""
        return value.strip()

    def several(self, name: str) -> list[str]:
        value = self.form.get(name, ())
        return [text for text in ([value] if isinstance(value, str) else value) if text.strip()]

    def currency_and_cycle(self) -> tuple[str, Cycle]:
        """Return both; when one is bad it is noted and what is sold stands in for it."""
        sold = self.product.currencies
        currency = self.one("currency")
        if currency not in sold:
            self.faults["currency"] = (
                f"Choose one of {', '.join(sold)}." if sold else "This product has no price yet."
            )
            currency = sold[0] if sold else ""
        cycles = self.product.cycles(currency)
        cycle = self.one("cycle")
        if cycle not in cycles:
            self.faults["cycle"] = (
                f"Choose how often to pay: {', '.join(cycles)}."
                if cycles
                else "This product has no price yet."
            )
            return currency, cycles[0] if cycles else Cycle.monthly
        return currency, Cycle(cycle)

    def choice(self, group: OptionGroupView, currency: str, cycle: Cycle) -> str | None:
        code = self.one(group.code)
        if not code:
            if group.is_required:
                self.faults[group.code] = f"Choose one: {group.name}."
            return None
        option = group.option(code)
        if option is None:
            self.faults[group.code] = f"{group.name}: “{code[:40]}” is not offered; choose another."
        elif option.price(currency, cycle) is None:
            self.faults[group.code] = f"{option.name} is not sold {cycle} in {currency}."
        return code

    def number(self, group: OptionGroupView, currency: str, cycle: Cycle) -> int:
        typed = self.one(group.code)
        least = max(group.minimum, 1) if group.is_required else group.minimum
        if not typed:
            if least:
                self.faults[group.code] = f"Enter how many, at least {least}."
            return 0
        # isdecimal admits digits of other scripts, and int() reads them as people mean them.
        if not typed.isdecimal() or len(typed) > 9:
            self.faults[group.code] = f"Enter a whole number from {least} to {group.maximum}."
            return 0
        number = int(typed)
        if not least <= number <= group.maximum:
            self.faults[group.code] = f"From {least} to {group.maximum} can be ordered."
        elif number and (not group.options or group.options[0].price(currency, cycle) is None):
            self.faults[group.code] = f"{group.name} is not sold {cycle} in {currency}."
        return number

    def key_ids(self, group: OptionGroupView, *, pasted: int) -> tuple[UUID, ...]:
        try:
            ids = tuple(dict.fromkeys(UUID(text) for text in self.several(group.code)))
        except ValueError:
            self.faults[group.code] = "Choose from your keys."
            return ()
        if group.is_required and not ids and not pasted:
            self.faults[group.code] = "Choose a key, or paste one."
        elif len(ids) + pasted > group.maximum:
            self.faults[group.code] = f"At most {group.maximum} keys can be installed."
        return ids

    def pasted_keys(self) -> tuple[str, ...]:
        """Return the keys that were pasted in, one a line, without comments; twice is once."""
        value = self.form.get(PASTED_KEY, "")
        text = value if isinstance(value, str) else "\n".join(value)
        try:
            lines = [read_public_key(line).line for line in text.splitlines() if line.strip()]
        except Invalid as error:
            self.faults[PASTED_KEY] = error.fields["public_key"]
            return ()
        return tuple(dict.fromkeys(lines))
