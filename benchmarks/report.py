"""What a benchmark prints while it runs."""

from collections.abc import Sequence


def say(text: str) -> None:
    print(text, flush=True)


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in plain text: the first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join(["", lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])
