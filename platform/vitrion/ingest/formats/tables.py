"""Tables of comma-separated values in which no cell can be taken for another."""

import csv
import io

OTHER_SEPARATORS = (";", "\t")


def table_rows(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the columns, and the rows by them; spaces about names and cells, and what is empty, are left out.

    Args:
        text: of the file, its names first.

    Returns:
        Names, and rows; a row that ends early lacks its last names.

    Raises:
        ValueError: other separators, two columns of one name, a row longer than the names, or what `csv` cannot read.
    """
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text))]
    except csv.Error as fault:
        raise ValueError(str(fault)) from fault
    names, *rows = [line for line in lines if any(line)] or [[]]
    if len(names) == 1 and (found := [mark for mark in OTHER_SEPARATORS if mark in names[0]]):
        raise ValueError(f"its cells are separated by {found[0]!r}, not by commas")
    # Spreadsheets write columns that somebody once had touched.
    while names and not names[-1] and not any(cell for row in rows for cell in row[len(names) - 1 :]):
        names, rows = names[:-1], [row[: len(names) - 1] for row in rows]
    if "" in names:
        raise ValueError(f"column {names.index('') + 1} has no name")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two columns are called {twice[0]!r}")
    for number, row in enumerate(rows, start=1):
        if len(row) > len(names):
            raise ValueError(f"row {number} has {len(row)} cells under {len(names)} names")
    return names, [dict(zip(names, row, strict=False)) for row in rows]
