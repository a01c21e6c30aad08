"""Explanations of any number of rows: a batch at a time, kept in files, summed up without holding them, and resumed.

A batch that was explained is a file. Whoever starts again with the same configuration, background and rows finds it there, asks
the model about some of its rows to see that it is still the same, and goes on with the next.
"""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.data.frame import row_digest
from clarify_ops.documents import digest
from clarify_ops.explain.aggregation import ExactSums
from clarify_ops.explain.explanation import Aggregation, Explanation, Floats

BATCH_ROWS = 5_000
"""Rows that are explained together: enough to share coalitions, few enough to lose little when a run is interrupted."""

Explain = Callable[[pd.DataFrame], Explanation]
Tell = Callable[[str], None]

_PROBED_ROWS = 16
_ROUNDING = 1e-5
"""Of the largest answer: what is read off trees is a float64, and what XGBoost answers, or a network in other batches, a float32."""
_BY_ROW = ("values", "standard_errors", "base_values", "predictions", "exact")
_ARRAYS = (*_BY_ROW, "expected_value")
# Counts of so many values a pass: fewer bits at a time where there are many features.
_COUNTERS = 1 << 22
_WARNINGS = 10


@dataclass(frozen=True)
class Overall:
    """What all rows together say.

    Attributes:
        features: Names.
        outputs: Names.
        global_values: (features, outputs) as aggregated.
        sizes: (features, outputs) mean absolute values.
        expected_value: (outputs,).
        facts: As `Explanation.facts`, of all rows.
    """

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    global_values: Floats
    sizes: Floats
    expected_value: Floats
    facts: dict[str, Any]

    def to_clarify(self) -> dict[str, dict[str, Any]]:
        """The `kernel_shap` object of analysis.json, in Clarify's order of keys."""
        return {
            output: {
                "global_shap_values": dict(zip(self.features, self.global_values[:, at].tolist(), strict=True)),
                "expected_value": float(self.expected_value[at]),
            }
            for at, output in enumerate(self.outputs)
        }


class Parts:
    """Explanations of batches, in files of a folder.

    Args:
        folder: Where they lie, and are looked for; it is made.
        key: Digest of all that the values follow from beside the rows and the model.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key
        self._paths: list[Path] = []
        self.rows = self.reused = 0
        folder.mkdir(parents=True, exist_ok=True)

    def explain(
        self,
        batches: Iterable[pd.DataFrame],
        explain: Explain,
        predict: Callable[[pd.DataFrame], Floats],
        total: int,
        tell: Tell,
    ) -> None:
        """Explains batches, but for those that are there already.

        Args:
            batches: (rows, features) each, in order; cut in the same way as before where work is to be resumed.
            explain: Explains one.
            predict: The model in the unit of the values, asked about a few rows of a batch that is there already.
            total: Rows of all batches.
            tell: Told the rows done, rows a second and the time left, after each.
        """
        started, fresh = time.monotonic(), 0
        for number, batch in enumerate(batches):
            path = self._folder / f"{number:06d}-{digest([self._key, row_digest(batch)])[7:39]}.npz"
            if self._holds(path, batch, predict):
                self.reused += 1
            else:
                _write(path, explain(batch))
                fresh += len(batch)
            self._paths.append(path)
            self.rows += len(batch)
            tell(_told(self.rows, total, fresh, time.monotonic() - started))

    def __iter__(self) -> Iterator[Explanation]:
        """The explanations, in order."""
        return map(_read, self._paths)

    def at(self, places: NDArray[np.intp]) -> Explanation:
        """The explanations of the rows at these positions, in order."""
        found, start = [], 0
        for one in self:
            rows = len(one.values)
            inside = places[(places >= start) & (places < start + rows)] - start
            found.append(replace(one, **{name: getattr(one, name)[inside] for name in _BY_ROW}))
            start += rows
        return merged(found)

    def overall(self, agg: Aggregation) -> Overall:
        """All rows together, from one part at a time."""
        first = _read(self._paths[0])
        facts = [one.facts() for one in self]
        shape = first.values.shape[1:]
        sizes = self._global("mean_abs", shape)
        return Overall(
            features=first.features,
            outputs=first.outputs,
            global_values=sizes if agg == "mean_abs" else self._global(agg, shape),
            sizes=sizes,
            expected_value=first.expected_value,
            facts=_summed(facts),
        )

    def _global(self, agg: Aggregation, shape: tuple[int, ...]) -> Floats:
        if agg == "median":
            return _median(lambda: (one.values for one in self), self.rows, shape)
        sums = ExactSums(int(np.prod(shape)))
        for one in self:
            values = one.values.reshape(len(one.values), -1)
            sums.add(np.abs(values) if agg == "mean_abs" else values**2)
        return (sums.totals() / self.rows).reshape(shape)

    def _holds(self, path: Path, batch: pd.DataFrame, predict: Callable[[pd.DataFrame], Floats]) -> bool:
        if not path.exists():
            return False
        try:
            known = _read(path).predictions
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            # Cut short by whatever ended the run.
            return False
        places = np.unique(np.linspace(0, len(batch) - 1, _PROBED_ROWS).astype(np.intp))
        asked = predict(batch.iloc[places])
        if asked.shape != known[places].shape:
            return False
        # A sum that comes out near zero is no more exact than its terms.
        return bool((np.abs(asked - known[places]) <= _ROUNDING * np.abs(asked).max()).all())


def merged(parts: Iterable[Explanation]) -> Explanation:
    """The explanations of batches as one, in memory."""
    given = list(parts)
    first = given[0]
    facts = _summed([one.facts() for one in given])
    arrays: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in given]) for name in _BY_ROW}
    counts: dict[str, Any] = {name: facts[name] for name in ("coalitions", "prediction_rows", "prediction_calls")}
    return replace(first, **arrays, **counts, warnings=tuple(facts["warnings"]))


def _told(done: int, total: int, fresh: int, seconds: float) -> str:
    words = f"explained {done:,} of {total:,} rows"
    if not fresh or seconds <= 0:
        return words
    rate = fresh / seconds
    left = round((total - done) / rate)
    clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
    return f"{words}, {rate:,.0f} a second" + (f", {clock} left" if done < total else "")


def _write(path: Path, explanation: Explanation) -> None:
    told = {field.name: getattr(explanation, field.name) for field in fields(explanation) if field.name not in _ARRAYS}
    temporary = path.with_suffix(".writing")
    with temporary.open("wb") as file:
        np.savez(file, told=np.array(json.dumps(told)), **{name: getattr(explanation, name) for name in _ARRAYS})
        file.flush()
        # The name must not be there before the content is.
        os.fsync(file.fileno())
    temporary.replace(path)


def _read(path: Path) -> Explanation:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
        told = json.loads(str(found["told"]))
        arrays = {name: found[name] for name in _ARRAYS}
    lists = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return Explanation(**{**told, **lists, **arrays})


def _summed(facts: list[dict[str, Any]]) -> dict[str, Any]:
    """The facts of parts as those of all rows."""
    errors = [one["largest_standard_error"] for one in facts if one["largest_standard_error"] is not None]
    warnings = _joined(words for one in facts for words in one["warnings"])
    if len(warnings) > _WARNINGS:
        warnings = [
            *warnings[:_WARNINGS],
            f"There are {len(warnings) - _WARNINGS} more warnings, of other batches of rows.",
        ]
    counts = (
        "rows",
        "exact_rows",
        "values_without_standard_error",
        "coalitions",
        "prediction_rows",
        "prediction_calls",
    )
    return {
        **facts[0],
        **{name: sum(one[name] for one in facts) for name in counts},
        "largest_standard_error": max(errors, default=None),
        "additivity_gap": max(one["additivity_gap"] for one in facts),
        "warnings": warnings,
    }


def _joined(warnings: Iterable[str]) -> list[str]:
    """Each once, in the order in which they came; of those that begin with a count, the counts are added up."""
    counts: dict[str, int | None] = {}
    for words in warnings:
        counted = re.match(r"(\d+) ", words)
        rest = words if counted is None else words[counted.end() :]
        counts[rest] = None if counted is None else (counts.get(rest) or 0) + int(counted[1])
    return [rest if count is None else f"{count} {rest}" for rest, count in counts.items()]


def _median(parts: Callable[[], Iterable[Floats]], rows: int, shape: tuple[int, ...]) -> Floats:
    """The exact median over rows, in passes that each settle some bits of it.

    Floats in order are their bits in order, once those of negative ones are turned round: the digits of the value at a
    place are found from the highest to the lowest by counting.
    """
    cells = int(np.prod(shape))
    low, high = (rows - 1) // 2, rows // 2
    found = [_selected(parts, np.full(cells, place), cells) for place in dict.fromkeys((low, high))]
    return np.asarray(np.mean(found, axis=0)).reshape(shape)


def _selected(parts: Callable[[], Iterable[Floats]], places: NDArray[np.int64], cells: int) -> Floats:
    """(cells,) the values that are at these places in order."""
    bits = next(bits for bits in (16, 8, 4, 1) if cells << bits <= _COUNTERS or bits == 1)
    prefix = np.zeros(cells, dtype=np.uint64)
    for shift in range(64 - bits, -1, -bits):
        counts = np.zeros((cells, 1 << bits), dtype=np.int64)
        for values in parts():
            keys = _ordered_bits(values.reshape(len(values), cells))
            for cell in range(cells):
                digits = keys[:, cell] >> np.uint64(shift)
                # Only of values that begin with what is known already.
                known = digits >> np.uint64(bits) == prefix[cell]
                within = digits[known] & np.uint64((1 << bits) - 1)
                counts[cell] += np.bincount(within.astype(np.int64), minlength=1 << bits)
        sums = np.cumsum(counts, axis=1)
        digit = np.array([np.searchsorted(sums[cell], places[cell], side="right") for cell in range(cells)])
        places = places - np.where(digit > 0, sums[np.arange(cells), digit - 1], 0)
        prefix = (prefix << np.uint64(bits)) | digit.astype(np.uint64)
    return _from_ordered_bits(prefix)


_SIGN = np.uint64(1 << 63)


def _ordered_bits(values: Floats) -> NDArray[np.uint64]:
    # Adding zero makes one zero of both.
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _from_ordered_bits(keys: NDArray[np.uint64]) -> Floats:
    return np.where(keys & _SIGN, keys ^ _SIGN, ~keys).view(np.float64)
