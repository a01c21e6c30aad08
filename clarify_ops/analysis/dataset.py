"""What a report tells of an analysed dataset."""

from __future__ import annotations

from clarify_ops.analysis.counting import Rows
from clarify_ops.data.counts import DISADVANTAGED
from clarify_ops.gate.release import DataFacts


def data_facts(rows: Rows) -> DataFacts:
    """Its size, its groups, what is missing and what the model does not see."""
    data, tally = rows.data, rows.tally
    name = ", ".join(dict.fromkeys(file.address for file in data.files)) or "a table in memory"
    missing = data.frame.isna().sum()
    facts = DataFacts(
        name=name,
        digest=data.digest,
        rows=len(data.frame),
        columns=data.frame.shape[1],
        label=data.label or "",
        positive="",
        positives=0,
        group_variable=data.group,
        excluded={str(one): _why(data.join, one) for one in data.frame.columns if _is_left_out(rows, str(one))},
        missing={str(one): int(count) for one, count in missing.items() if count},
        warnings=data.notes,
    )
    if tally is None:
        return facts
    table = tally.table
    facets: dict[str, dict[str, int]] = {name: {} for name in table.facets}
    for entry in table.entries:
        facets[entry.facet][entry.value] = int(table.split(entry).n(DISADVANTAGED))
    for facet, count in table.missing.items():
        if count:
            facets[facet]["missing"] = count
    surprises = [note.warning for note in tally.kinds.values() if note.warning]
    return DataFacts(
        **{
            **vars(facts),
            "rows": tally.rows,
            "columns": facts.columns if rows.whole else tally.columns,
            # Of rows that were not kept, only the columns that were counted are known.
            "missing": facts.missing if rows.whole else dict(tally.missing),
            "positive": tally.positive,
            "positives": int(table.rows[table.codes[:, -2] == 1].sum()),
            "missing_labels": tally.missing.get(tally.label, 0),
            "facets": facets,
            "kinds": {name: note.kind for name, note in tally.kinds.items()},
            "warnings": (*surprises, *data.notes),
        }
    )


def _is_left_out(rows: Rows, column: str) -> bool:
    data = rows.data
    return column not in data.features and column not in {data.label, data.predicted_label}


def _why(join: str | None, column: object) -> str:
    return "identifies the row" if column == join else "excluded by the configuration, or from a dataset of its own"
