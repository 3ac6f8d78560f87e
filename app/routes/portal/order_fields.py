"""The order form's fields: as posted, as defaults, as a price, and as an address."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.price import PriceBreakdown, price
from app.domain.catalog.selection import PASTED_KEY, SSH_KEYS, read_selection
from app.domain.catalog.views import OptionKind, ProductView
from app.routes.security.dependencies import HttpRequest
from app.routes.security.next_page import LONGEST

Fields = Mapping[str, str | list[str]]


async def posted(request: HttpRequest) -> dict[str, str | list[str]]:
    """Return field → text of a posted form, of `ssh_keys` the list; NUL is dropped."""
    form = await request.form()
    return _fields((name, value) for name, value in form.multi_items() if isinstance(value, str))


def from_query(request: HttpRequest, product: ProductView) -> dict[str, str | list[str]]:
    """Return the choices in the page's address; what is no question of the form is left out."""
    known = {"hostname", "currency", "cycle", PASTED_KEY, *(group.code for group in product.groups)}
    return _fields(
        (name, value) for name, value in request.query_params.multi_items() if name in known
    )


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    keys: list[str] = []
    for name, value in pairs:
        text = value.replace("\0", "")
        if name == SSH_KEYS:
            keys.append(text)
        else:
            fields[name] = text
    if keys:
        fields[SSH_KEYS] = keys
    return fields


def view_of(product: ProductView, fields: Fields, *, currency: str) -> tuple[str, Cycle]:
    """Return the currency and cycle to show prices in: those chosen where they are sold.

    Otherwise `currency` or the first one, and the shortest cycle. The product has a price.
    """
    asked = str(fields.get("currency", ""))
    sold = product.currencies
    chosen = next((one for one in (asked, currency) if one in sold), sold[0])
    cycles = product.cycles(chosen)
    cycle = str(fields.get("cycle", ""))
    return chosen, Cycle(cycle) if cycle in cycles else cycles[0]


def defaults(product: ProductView, *, currency: str, cycle: Cycle) -> dict[str, str | list[str]]:
    """Return the answers that a form begins with: of what must be chosen the first that is sold."""
    fields: dict[str, str | list[str]] = {"currency": currency, "cycle": cycle.value}
    for group in product.groups:
        if group.kind is OptionKind.choice:
            sold = (one.code for one in group.options if one.price(currency, cycle))
            fields[group.code] = next(sold, "") if group.is_required else ""
        elif group.kind is OptionKind.quantity:
            least = max(group.minimum, 1) if group.is_required else group.minimum
            fields[group.code] = str(least)
    return fields


def priced(
    product: ProductView, fields: Fields, *, tax_rate_bp: int
) -> tuple[PriceBreakdown | None, dict[str, str]]:
    """Return the price of the choices so far, or what is wrong with them.

    Host name and keys cost nothing, and are not looked at while they are being typed.
    """
    questions = tuple(one for one in product.groups if one.kind is not OptionKind.ssh_keys)
    priceable = replace(product, groups=questions)
    try:
        selection = read_selection(priceable, {**fields, "hostname": "not-asked"})
        return price(priceable, selection, tax_rate_bp=tax_rate_bp), {}
    except Invalid as invalid:
        return None, invalid.fields


def address_of(product: ProductView, fields: Fields) -> str:
    """Return the page's address with the choices in it, short enough to be led back to."""
    known = ["hostname", "currency", "cycle", *(group.code for group in product.groups)]
    pairs = [(name, fields[name]) for name in known if fields.get(name)]
    path = f"/products/{product.slug}"
    # A pasted RSA key may be too long to be carried along; it is public, and quickly pasted.
    for extra in ([(PASTED_KEY, fields.get(PASTED_KEY, ""))], []):
        query = urlencode([*pairs, *(pair for pair in extra if pair[1])], doseq=True)
        if len(path) + 1 + len(query) <= LONGEST:
            return f"{path}?{query}" if query else path
    return path
