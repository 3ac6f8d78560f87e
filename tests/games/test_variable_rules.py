"""What variables of games take, in Laravel's words. Pure."""

import pytest
from msgspec.structs import replace

from app.domain.games.check import answer_faults, game_offer_faults
from app.domain.games.variable_rules import value_fault
from app.drivers.game.contract import Egg, GameOffers, Location, Variable
from tests.games.world import RULES


@pytest.mark.parametrize(
    ("rules", "fits", "wrong"),
    [
        ("required|string|max:5", ["lates", "a"], ["", "latest"]),
        ("nullable|string|min:2", ["", "ab"], ["a"]),
        ("required|integer|between:1,64", ["1", "64"], ["0", "65", "1.5", "many"]),
        ("numeric|min:0.5", ["0.5", "7"], ["0.4", "x"]),
        ("required|string|in:730,740", ["730"], ["731"]),
        ('in:"a b",c', ["a b", "c"], ["a"]),
        ("required|boolean", ["0", "1"], ["true", "yes"]),
        (r"required|regex:/^([\w\d._-]+)(\.jar)$/", ["paper.jar"], ["paper.exe"]),
        ("regex:/^peaceful$/i", ["Peaceful"], ["hard"]),
        ("size:3", ["abc"], ["ab", "abcd"]),
        ("regex:/^(/", ["anything"], []),
        ("regex:/^a$/x", ["b"], []),
        ("regex:~^a$~", ["b"], []),
        ("max:many|url|active_url", ["http://x"], []),
    ],
)
def test_values_are_judged_as_the_panel_does(rules: str, fits: list[str], wrong: list[str]) -> None:
    assert [value_fault(rules, value) for value in fits] == [""] * len(fits)
    assert all(value_fault(rules, value) for value in wrong)


def test_a_product_that_its_panel_would_refuse_is_not_sold() -> None:
    """Neither with a variable that has no value, nor with a choice that the game does not take."""

    def variable(code: str, rules: str, default: str = "") -> Variable:
        return Variable(code=code, label=code, default=default, rules=rules)

    variables = (
        variable("MINECRAFT_VERSION", "nullable|string|max:6", "latest"),
        variable("SERVER_JARFILE", "required|string", "server.jar"),
    )
    token = variable("TOKEN", "required|string|size:4")
    egg = Egg(code=RULES.egg, label="Paper", images=("java",), variables=variables)
    offers = {"play": GameOffers(locations=(Location("fra", "fra"),), eggs=(egg,))}
    assert game_offer_faults(RULES, offers) == {}
    more = {"play": replace(offers["play"], eggs=(replace(egg, variables=(*variables, token)),))}
    assert game_offer_faults(RULES, more) == {"variables.TOKEN": "TOKEN needs a value."}
    given = replace(RULES, variables=RULES.variables | {"TOKEN": "abcd"})
    assert game_offer_faults(given, more) == {}
    answers = {"version": ["1.21", "1.21.4", "1.21.10"]}
    assert answer_faults(RULES, answers, offers) == {
        "chosen.MINECRAFT_VERSION": "MINECRAFT_VERSION cannot be “1.21.10”. "
        "It is at most 6 characters."
    }
    assert answer_faults(RULES, answers, {}) == {}
