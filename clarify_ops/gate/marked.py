"""Text from outside as Markdown shows it: as it is, never as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Everything with which text could become markup, a table cell or HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def plain(text: object) -> str:
    """On one line, with every active character escaped."""
    return (
        _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
        .replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\&", "&amp;")
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of such texts."""
    lines = [[plain(head) for head in heads], ["---"] * len(heads), *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
