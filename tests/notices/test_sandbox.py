"""What a template may not do: leave the sandbox, run away, or put out what no mail is."""

import time

import pytest

from app.domain.notices.errors import BadTemplate
from app.domain.notices.render import LONGEST_TEMPLATE, render_part
from app.domain.notices.sandbox import OverBudget
from tests.notices.letters import delivered


def refusal(template: str, part: str = "body_text") -> BadTemplate:
    with pytest.raises(BadTemplate) as caught:
        render_part("service-delivered", part, template, delivered())
    return caught.value


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ hostname.__class__.__mro__[1].__subclasses__() }}",
        "{{ links.__len__ }}",
        "{{ links[0].items }}",
        "{{ hostname|attr('__class__') }}",
        "{{ '%s'.format(hostname) }}",
        "{{ hostname.upper() }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ range(10) }}",
        "{% for link in links %}{{ loop._iterable }}{% endfor %}",
        "{% for link in links %}{{ loop.cycle('a') }}{% endfor %}",
        "{% include 'layout.css' %}",
        "{% import 'parts.html' as p %}{{ p }}",
        "{% extends '../values.py' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set x = namespace() %}",
        "{% for a in links recursive %}{{ loop(links) }}{% endfor %}",
        "{{ links|_metered(-1000000) }}",
        "{{ hostname|safe }}",
    ],
)
@pytest.mark.parametrize("part", ["body_text", "body_html"])
def test_escape_is_refused(template: str, part: str) -> None:
    assert refusal(template, part).line == 1


LETTERS = "'" + "x" * 30 + "'"
DOUBLINGS = "{% set a = " + LETTERS + " %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ hostname|center(300000000) }}",
        "{{ '%0999999999d' % 1 }}",
        DOUBLINGS,
        f"{{% for a in {LETTERS} %}}" * 12 + "{% endfor %}" * 12,
        f"{{% for a in {LETTERS} %}}" * 4 + "y" * 50_000 + "{% endfor %}" * 4,
        f"{{% for a in {LETTERS} %}}" * 3 + "{{ '" + "y" * 50_000 + "' }}" + "{% endfor %}" * 3,
        "{{ " + LETTERS + "|join('" + "y" * 60_000 + "') }}",
        "{% set a %}" + "x" * 60_000 + "{% endset %}{{ a }}",
        "{{ (" * 5000,
        "{{ " + "not " * 15_000 + "hostname }}",
        "{% if hostname %}" * 1500 + "x" + "{% endif %}" * 1500,
    ],
)
def test_a_template_cannot_run_away(template: str) -> None:
    begun = time.process_time()
    refusal(template)
    # Generous for a slow machine; unbounded, most of these would take minutes or gigabytes.
    assert time.process_time() - begun < 5.0


def test_budget_is_what_stops_a_loop() -> None:
    problem = refusal(f"{{% for a in {LETTERS} %}}" * 5 + "{% endfor %}" * 5)
    assert isinstance(problem.__cause__, OverBudget)
    assert problem.line == 1


def test_budget_is_fresh_for_each_rendering() -> None:
    template = f"{{% for a in {LETTERS} %}}" * 2 + "{{ a }}" * 50 + "{% endfor %}" * 2
    outputs = {
        render_part("service-delivered", "body_text", template, delivered()) for _ in range(30)
    }
    assert outputs == {"x" * 45_000}


def test_unknown_name_tells_line_meaning_and_what_there_is() -> None:
    problem = refusal("Hello,\n\nyour host is {{ hostnme }}.")
    assert problem.line == 3
    assert problem.part == "body_text"
    assert "“hostnme” is not known here. Did you mean “hostname”?" in problem.message
    assert "Available here: name, order_number" in problem.message
    assert "ssh_keys" in problem.available


def test_unknown_name_is_found_in_a_branch_that_is_not_taken() -> None:
    problem = refusal("{{ hostname }}\n{% if ssh_keys %}\n{{ fingerprnt }}\n{% endif %}")
    assert problem.line == 3


def test_unknown_field_of_a_value_is_named_with_its_line() -> None:
    problem = refusal("{% for link in links %}\n{{ link.titel }}\n{% endfor %}")
    assert (problem.line, "titel" in problem.message) == (2, True)


def test_a_list_is_not_printed_as_python() -> None:
    assert "Loop over a list" in refusal("{{ links }}").message


def test_secret_does_not_go_into_the_subject() -> None:
    assert "secret" in refusal("Password {{ password }}", "subject").message


def test_syntax_error_has_its_line() -> None:
    problem = refusal("one\n{% if hostname %}\ntwo")
    assert problem.line == 3
    assert "endif" in problem.message


def test_too_long_a_template_is_refused() -> None:
    assert "64,000 is the most" in refusal("x" * (LONGEST_TEMPLATE["body_text"] + 1)).message


@pytest.mark.parametrize("template", ["", "  \n ", "{% if not hostname %}x{% endif %}"])
def test_empty_mail_is_refused(template: str) -> None:
    assert "empty" in refusal(template).message


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>one", "<p> is opened and not closed"),
        ("<p>one</div>", "</div> does not fit"),
        ("<script>alert(1)</script>", "<script> does not work in mail"),
        ("<form></form>", "<form> does not work in mail"),
        ('<p onclick="x">one</p>', "onclick"),
        ('<a href="javascript:alert(1)">one</a>', "whole address"),
        ("{{ button('one', 'java\tscript:alert(1)') }}", "whole address"),
        ("<b>" * 20_000, "lie within one another"),
        ("<!--><b><b><b></b></b>", "not closed"),
        ("{% extends 'layout.html' %}lost{% block content %}x{% endblock %}", "outside the blocks"),
        ("{% extends 'layout.html' %}{% block body %}x{% endblock %}", "the blocks content"),
        ("{% block content %}x{% endblock %}", "begin with {% extends"),
        ("{{ buton('one', portal_url) }}", "button"),
    ],
)
def test_html_that_no_mail_can_hold(template: str, words: str) -> None:
    assert words in refusal(template, "body_html").message


def test_an_admins_own_document_needs_no_layout() -> None:
    html = render_part(
        "service-delivered",
        "body_html",
        "<html><head><style>p { color: red }</style></head><body><p>{{ name }}<br/></p></body></html>",
        delivered(name="A & B"),
    )
    assert "p { color: red }" in html
    assert ">A &amp; B<br></p>" in html


def test_joined_texts_are_escaped_once() -> None:
    html = render_part(
        "service-delivered",
        "body_html",
        "<p>{{ name ~ ' <at> ' ~ hostname }} {{ extra_ipv4|join(' & ') }}</p>",
        delivered(name="A & B"),
    )
    assert "A &amp; B &lt;at&gt; web1.example.com 203.0.113.25 &amp; 203.0.113.26" in html
