"""The order form: what is typed becomes a selection, or each bad field says why."""

from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.selection import Selection, check_selection, fields_of, read_selection
from app.domain.catalog.views import OptionGroupView, OptionKind, OptionView, ProductView
from app.domain.catalog.wants import address_wants, server_want
from tests.catalog.shop import FORM, SERVER, viewed

KEY_ID = UUID("01890000-0000-7000-8000-000000000001")


def public_text(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


ED25519 = public_text(ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32))


@pytest.fixture
def product() -> ProductView:
    return viewed(SERVER)


def faults(product: ProductView, **typed: str | list[str]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read_selection(product, FORM | typed)
    return refused.value.fields


def test_the_least_that_can_be_typed(product: ProductView) -> None:
    assert read_selection(product, FORM) == Selection(
        hostname="db1.example.org",
        currency="EUR",
        cycle=Cycle.monthly,
        os="debian-12",
        quantities={"seats": 0},
    )


def test_all_that_can_be_typed(product: ProductView) -> None:
    """Pitfall: options chosen by the client are not applied (Paymenter#812)."""
    selection = read_selection(
        product,
        FORM
        | {
            "hostname": "  DB1.Example.org. ",
            "panel": ["cockpit"],
            "extra_ipv4": "2",
            "ssh_keys": [str(KEY_ID), str(KEY_ID)],
            "ssh_key": f"\n{ED25519}  me@home \r\n{ED25519}\n\n",
            "backup": "daily",
            "seats": "3",
            "unknown": "ignored",
        },
    )
    assert selection == Selection(
        hostname="db1.example.org",
        currency="EUR",
        cycle=Cycle.monthly,
        os="debian-12",
        panel="cockpit",
        extra_ipv4=2,
        ssh_key_ids=(KEY_ID,),
        ssh_keys=(ED25519,),
        choices={"backup": "daily"},
        quantities={"seats": 3},
    )
    assert read_selection(product, fields_of(selection)) == selection
    check_selection(product, selection)
    assert msgspec.json.decode(msgspec.json.encode(selection), type=Selection) == selection
    assert selection.choice("os") == "debian-12"
    assert selection.choice("panel") == "cockpit"
    assert selection.choice("backup") == "daily"
    assert selection.quantity("seats") == 3


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("hostname", "", "Enter a host name"),
        ("hostname", "a b", "a space"),
        ("currency", "GBP", "EUR, USD"),
        ("cycle", "quarterly", "monthly, yearly"),
        ("cycle", "", "monthly, yearly"),
        ("os", "", "Choose one"),
        ("os", "plan9", "not offered"),
        ("os", [], "Choose one"),
        ("extra_ipv4", "-1", "whole number"),
        ("extra_ipv4", "1.5", "whole number"),
        ("extra_ipv4", "9" * 5_000, "whole number"),
        ("extra_ipv4", "5", "From 0 to 4"),
        ("ssh_keys", "not a key id", "Choose from your keys"),
        ("ssh_keys", [str(UUID(int=number)) for number in range(4)], "At most 3"),
        ("ssh_key", "hello", "begins with its kind"),
        ("ssh_key", "-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("ssh_key", "ssh-ed25519 AAAA", "damaged"),
    ],
)
def test_a_bad_field_says_why(
    product: ProductView, field: str, typed: str | list[str], says: str
) -> None:
    told = faults(product, **{field: typed})
    assert set(told) == {field}
    assert says in told[field]


def test_every_bad_field_has_its_own_message(product: ProductView) -> None:
    told = faults(product, hostname="-", os="", extra_ipv4="many", cycle="daily", currency="X")
    assert set(told) == {"hostname", "os", "extra_ipv4", "cycle", "currency"}


def test_a_short_rsa_key_is_refused(product: ProductView) -> None:
    weak = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    assert "2048" in faults(product, ssh_key=public_text(weak))["ssh_key"]


def test_an_option_without_a_price_in_the_cycle_is_not_sold_in_it(
    product: ProductView,
) -> None:
    assert "not sold yearly" in faults(product, cycle="yearly", panel="cockpit")["panel"]
    assert "not sold yearly" in faults(product, cycle="yearly", seats="1")["seats"]
    assert read_selection(product, FORM | {"cycle": "yearly", "seats": "0"}).cycle is Cycle.yearly


def test_what_is_required_has_to_be_given(product: ProductView) -> None:
    groups = tuple(replace(group, is_required=True) for group in product.groups)
    told = faults(replace(product, groups=groups))
    assert set(told) == {"panel", "extra_ipv4", "ssh_keys", "backup", "seats"}
    assert "at least 1" in told["seats"]
    told = faults(replace(product, groups=groups), seats="0")
    assert told["seats"] == "From 1 to 10 can be ordered."


def test_a_product_without_prices_cannot_be_ordered(product: ProductView) -> None:
    told = faults(replace(product, prices=()))
    assert told == {
        "currency": "This product has no price yet.",
        "cycle": "This product has no price yet.",
    }


def test_keys_are_not_read_where_none_are_asked_for(product: ProductView) -> None:
    bare = replace(product, groups=product.groups[:1])
    assert read_selection(bare, FORM | {"ssh_key": ED25519}).ssh_keys == ()
    with pytest.raises(Invalid) as refused:
        check_selection(bare, replace(read_selection(bare, FORM), ssh_keys=(ED25519,)))
    assert set(refused.value.fields) == {""}


def test_what_is_wanted_follows_from_the_answers(product: ProductView) -> None:
    plain = read_selection(product, FORM | {"extra_ipv4": "2"})
    assert server_want(product, plain) == product.server_rules
    assert [want.item for want in address_wants(product, plain)] == [
        "ip4:primary",
        "ip4:extra:1",
        "ip4:extra:2",
        "ip6net:primary",
        "vlan:primary",
    ]
    where = OptionGroupView(
        id=KEY_ID,
        code="datacentre",
        name="Where",
        kind=OptionKind.choice,
        options=(OptionView(id=KEY_ID, code="fra1", name="Frankfurt"),),
    )
    placed = replace(product, groups=(*product.groups, where))
    want = server_want(placed, read_selection(placed, FORM | {"datacentre": "fra1"}))
    assert (want.datacentres, want.datacentre_required) == (("fra1",), True)
    assert want.ram_gb == 32
