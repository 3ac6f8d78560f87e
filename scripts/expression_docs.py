"""Write the tables of docs/expressions.md anew: `python scripts/expression_docs.py`."""

import re
from pathlib import Path

from app.flows.expressions.reference import functions_table, names_table

PAGE = Path(__file__).parents[1] / "docs" / "expressions.md"
TABLES = {"names": names_table, "functions": functions_table}


def written(page: str) -> str:
    """Return the page with each table between its marks as the code has it."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: made by scripts/expression_docs.py -->", f"<!-- /{name} -->"
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        text = f"{begin}\n{table()}\n{end}"
        page = re.sub(pattern, lambda _, text=text: text, page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
