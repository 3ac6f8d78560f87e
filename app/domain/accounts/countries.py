"""Countries by ISO 3166-1 code, named by Unicode's CLDR."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from babel import Locale

# Two-letter codes of CLDR that are no country: groups, exceptional reservations, pseudo-locales.
_NO_COUNTRY = frozenset(
    {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
)


@cache
def country_names() -> Mapping[str, str]:
    """Return code → English name, in the order of the names; about 250."""
    territories: Mapping[str, str] = Locale("en").territories
    names = {
        code: name
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
    }
    return MappingProxyType(dict(sorted(names.items(), key=lambda item: item[1])))
