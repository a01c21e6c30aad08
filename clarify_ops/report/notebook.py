"""The findings of an analysis as a notebook: it reads without running, and runs beside the analysis's JSON files."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Mapping
from typing import Any

from clarify_ops.report.chapters import chapters, header
from clarify_ops.report.findings import Findings
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.panels import Panel

_LOAD = """\
import json
from pathlib import Path

import pandas as pd

analysis = json.loads(Path("analysis.json").read_text(encoding="utf-8"))
metrics = json.loads(Path("metrics.json").read_text(encoding="utf-8"))"""

_MEASURES = """\
# CI is the sizes of both groups written as one number: a small one would follow from the others'.
beside_small = {one["facet"] for one in metrics["small_groups"]}


def shown(one):
    small = any(0 < rows < SMALLEST for rows in one["groups"].values())
    small = small or (one["metric"] == "CI" and one["facet"] in beside_small)
    interval = one["interval"] or {"low": None, "high": None}
    value = "too small" if small else "undefined" if one["value"] is None else one["value"]
    low, high = (None, None) if small else (interval["low"], interval["high"])
    return {
        "stage": one["stage"],
        "facet": one["facet"],
        "facet value": one["facet_value"],
        "metric": one["metric"],
        "value": value,
        "low": low,
        "high": high,
        "reason": "" if small else one["reason"],
    }


measures = pd.DataFrame([shown(one) for one in metrics["measures"]], dtype=object)"""

# Title, words and code of a section; the last line of the code is what is shown.
_SECTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "How the columns were read",
        "Whether a column is categorical or continuous decides every number below.",
        'pd.DataFrame.from_dict(metrics["kinds"], orient="index")',
    ),
    (
        "Measures",
        "Every metric with its interval, or the reason why it is undefined.",
        f"{_MEASURES}\nmeasures",
    ),
    (
        "What analysis.json holds",
        "Its sections; bias metrics there follow SageMaker Clarify's rules, by which 0/0 is 0.",
        'pd.DataFrame({"section": [name for name in analysis if name != "version"]}, dtype=object)',
    ),
    (
        "Global importance",
        "By feature and label.",
        """\
shap = analysis.get("explanations", {}).get("kernel_shap", {})
pd.DataFrame({label: found["global_shap_values"] for label, found in shap.items()}, dtype=object)""",
    ),
)


def findings_notebook(findings: Findings, about: Mapping[str, MetricNote] | None = None) -> str:
    """A notebook with outputs, the same for the same findings.

    Args:
        findings: What was found.
        about: How each metric is to be read, by the metric's name.

    Returns:
        The text of an .ipynb file, to be written beside analysis.json and metrics.json.
    """
    import pandas as pd
    from nbformat import validate

    # The numbers are those that the files will hold: written and read once.
    documents = json.loads(json.dumps({"analysis": findings.clarify, "metrics": findings.to_json()}, default=str))
    smallest = int(findings.smallest_group)
    known: dict[str, Any] = {**documents, "pd": pd, "SMALLEST": smallest}
    cells = [
        _markdown("title", f"# {_plain(findings.title)}"),
        _code("load", 1, f"{_LOAD}\nSMALLEST = {smallest}", []),
    ]
    for place, (title, sentence, source) in enumerate(_SECTIONS):
        table, number = _shown(source, known), place + 2
        data = {"text/plain": table.to_string(), "text/html": table.to_html(notebook=True)}
        output = {"output_type": "execute_result", "execution_count": number, "data": data, "metadata": {}}
        cells.append(_markdown(f"words-{place}", f"## {title}\n\n{sentence}"))
        cells.append(_code(f"code-{place}", number, source, [output]))
    cells += _figures(findings)
    used = dict.fromkeys(one.metric for one in findings.measures)
    lines = [f"- **{name}**: {note.title}. {note.reading}" for name, note in (about or {}).items() if name in used]
    cells.append(_markdown("reading", "## How to read the metrics\n\n" + ("\n".join(lines) or "No metric.")))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    validate(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _figures(findings: Findings) -> list[dict[str, Any]]:
    """Cells of words, tables and pictures that need no code, and so stay when the others are run again."""
    made = header(findings.further)
    cells = [_panel(made)] if made is not None else []
    for chapter in chapters(findings.further, findings.smallest_group):
        cells.append(_markdown(f"chapter-{chapter.id}", f"## {chapter.title}"))
        cells += [_panel(one) for one in chapter.panels]
    return cells


def _panel(one: Panel) -> dict[str, Any]:
    lines = [f"### {_plain(one.title)}", _plain(one.lead)]
    lines += [f"> {_plain(words)}" for words in one.warnings]
    lines.append("\n".join(f"- {_plain(name)}: {_plain(words)}" for name, words in one.facts))
    for grid in one.grids:
        if not grid.folded:
            rows = (grid.head, ("---",) * len(grid.head), *grid.rows)
            cells = ["| " + " | ".join(cell if cell == "---" else _plain(cell) for cell in row) + " |" for row in rows]
            lines.append("\n".join(cells))
    attached = {}
    for place, picture in enumerate(one.pictures):
        name = f"{one.name}-{place}.png"
        attached[name] = {"image/png": base64.b64encode(picture.png()).decode()}
        lines += [f"![{_plain(picture.alt)}](attachment:{name})", _plain(picture.caption)]
    if one.text:
        # Indented lines after a paragraph are shown as they are, whatever they hold.
        lines += ["Rules:", "\n".join(f"    {line}" for line in one.text.splitlines())]
    lines += [_plain(sentence) for sentence in one.notes]
    cell = _markdown(f"panel-{one.name}".replace("_", "-"), "\n\n".join(line for line in lines if line))
    return {**cell, "attachments": attached} if attached else cell


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(name: str, number: int, source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "execution_count": number,
        "source": source,
        "outputs": outputs,
    }


def _shown(source: str, known: dict[str, Any]) -> Any:
    """The value of the last line of a cell, after the lines before it."""
    module = ast.parse(source)
    *before, last = module.body
    if not isinstance(last, ast.Expr):
        raise TypeError("a cell of the notebook ends without something to show")
    # The code is this module's own; what comes from outside enters as values alone.
    exec(compile(ast.Module(before, []), "<cell>", "exec"), known)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), known)  # noqa: S307


def _plain(text: str) -> str:
    """Text without a meaning in Markdown or HTML."""
    escaped = "".join(f"\\{one}" if one in "\\`*_{}[]()#+-!|~$" else one for one in " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
