"""The last line, its JSON, and the table in the documentation."""

import re
from pathlib import Path

import msgspec
import pytest

from benchmarks.document import BEGIN, END, with_figures, write
from benchmarks.percentile import percentile, spread
from benchmarks.result import Result, keep, kept, quantity

LINE = re.compile(
    r"^[a-z0-9-]+ ours=[0-9.]+[\w/]* peer=[0-9.]+[\w/]* ratio=[0-9.]+ "
    r"goal=(<|>=)[0-9.]+[\w/]* (met|short)$"
)
MACHINE = {
    "cores": 2, "cpu": "a CPU", "memory_gb": 8, "system": "Linux", "python": "3.11",
    "load_1min": 0.1, "loop_per_s": 9_000_000, "commits_per_s": 700, "hello_per_s": 9_000,
}  # fmt: skip
SLOW = Result(name="delivery", ours=2.5, peer=0.5, goal=2.0, at="2026-03-01T02:00:00+00:00",
              machine=MACHINE, says="p99")  # fmt: skip
FAST = Result(name="pages", ours=0.0334, peer=0.0121, goal=0.5)
RATE = Result(name="flows-w1", ours=3400, peer=850, goal=2000, unit="/s", at_least=True)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (SLOW, "delivery ours=2.5s peer=0.5s ratio=5.00 goal=<2s short"),
        (FAST, "pages ours=0.033s peer=0.012s ratio=2.76 goal=<0.5s met"),
        (RATE, "flows-w1 ours=3400/s peer=850/s ratio=4.00 goal=>=2000/s met"),
    ],
)
def test_line(result: Result, line: str) -> None:
    assert result.line() == line
    assert LINE.match(line)


def test_the_goal_itself_is_not_met() -> None:
    assert not msgspec.structs.replace(SLOW, ours=2.0).is_met


def test_a_goal_that_is_a_least_is_met_by_itself() -> None:
    assert msgspec.structs.replace(RATE, ours=2000).is_met
    assert not msgspec.structs.replace(RATE, ours=1999.9).is_met


def test_a_peer_of_nothing_has_no_ratio() -> None:
    assert msgspec.structs.replace(SLOW, peer=0.0).line().split()[3] == "ratio=inf"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0s"), (0.28449, "0.284s"), (9.999, "10s"), (119.96, "120s"), (1240, "1240s")],
)
def test_quantity(value: float, text: str) -> None:
    assert quantity(value, "s") == text


def test_the_latest_of_each_name_is_kept(tmp_path: Path) -> None:
    keep(SLOW, tmp_path)
    keep(FAST, tmp_path)
    latest = msgspec.structs.replace(SLOW, ours=1.5)
    path = keep(latest, tmp_path)
    assert kept(tmp_path) == [latest, FAST]
    written = msgspec.json.decode(path.read_bytes())
    assert written["met"] is True
    assert written["line"] == latest.line()


def test_plots_are_kept_beside_the_result_and_go_into_the_documentation(tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "docs" / "benchmarks.md"
    path = keep(msgspec.structs.replace(RATE, plots={"rates": "<svg/>"}), results)
    assert "svg" not in path.read_text()
    assert kept(results) == [RATE]
    page.parent.mkdir()
    page.write_text(f"{BEGIN}{END}")
    write(page, results)
    assert (page.parent / "plots" / "rates.svg").read_text() == "<svg/>"
    assert "![rates](plots/rates.svg)" in page.read_text()
    assert "| `flows-w1` | 3400/s | 850/s | 4.00 | ≥ 2000/s | met |" in page.read_text()


def test_the_table_replaces_what_is_between_the_marks() -> None:
    text = with_figures(f"# Figures\n{BEGIN}\nformer figures\n{END}\nafter\n", [SLOW, FAST])
    assert text.startswith(f"# Figures\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "former" not in text
    assert "| `delivery` | 2.5s | 0.5s | 5.00 | < 2s | **short** | 2026-03-01 02:00 | 1 |" in text
    assert with_figures(text, [SLOW, FAST]) == text
    with pytest.raises(ValueError, match="begin"):
        with_figures("no marks", [SLOW])


def test_percentiles_are_measured_values() -> None:
    values = [float(value) for value in range(200, 0, -1)]
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 1)] == [1, 100, 198, 200]
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert spread([2.0, 1.0]) == {"p50": 1.0, "p99": 2.0, "max": 2.0, "n": 2}
    for values, share in (([], 0.5), ([1.0], 1.5)):
        with pytest.raises(ValueError, match=r"percentile|share"):
            percentile(values, share)
