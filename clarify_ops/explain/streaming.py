"""Explanations of any number of rows: one batch after the other, each kept as soon as it is done.

Every batch becomes one file in a folder. A run that was broken off, in whatever way, is begun again with the same
arguments: batches whose file is there are not explained again, and what comes out is the same to the byte. Everything that
is asked of all rows is computed from the files, one at a time, so that memory follows the largest batch.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.data.frame import row_digest
from clarify_ops.documents import digest, write_bytes, write_text
from clarify_ops.errors import BadData, BadModel
from clarify_ops.explain.aggregation import ExactSums, medians
from clarify_ops.explain.explanation import Aggregation, Explanation

Floats = NDArray[np.float64]
Explain = Callable[[pd.DataFrame], Explanation]
"""Explains a batch of rows; every row must come out the same in whatever batch it is."""

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Pace:
    """How far a run is.

    Attributes:
        done_rows: Rows explained, those of earlier runs included.
        total_rows: All there are; None where nobody knows.
        rows_per_second: Of this run; None before its first batch.
        seconds_left: At that pace; None where it cannot be told.
    """

    done_rows: int
    total_rows: int | None
    rows_per_second: float | None
    seconds_left: float | None

    def __str__(self) -> str:
        """As a line of progress.

        >>> print(Pace(1200, 5000, 35.2, 108.0))
        1,200 of 5,000 rows explained, 35 rows a second, 1:48 left
        """
        said = [f"{self.done_rows:,}{'' if self.total_rows is None else f' of {self.total_rows:,}'} rows explained"]
        if self.rows_per_second is not None:
            said.append(f"{self.rows_per_second:,.{0 if self.rows_per_second >= 10 else 2}f} rows a second")
        if self.seconds_left is not None:
            minutes, seconds = divmod(round(self.seconds_left), 60)
            hours, minutes = divmod(minutes, 60)
            said.append(f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left")
        return ", ".join(said)


def work_key(settings: Mapping[str, Any], background: pd.DataFrame | None = None) -> str:
    """`sha256:<hex>` of what decides the values besides the rows.

    Args:
        settings: Everything that does: the explainer's name and arguments with the seed, the digest of the model, the
            version of this package; as plain values.
        background: The baseline rows.
    """
    return digest({"settings": dict(settings), "background": None if background is None else frame_digest(background)})


def frame_digest(frame: pd.DataFrame) -> str:
    """`sha256:<hex>` of the columns, their dtypes, and the rows in their order."""
    kinds = [[str(name), str(kind)] for name, kind in frame.dtypes.items()]
    # pandas hashes no sparse cells.
    dense = frame.astype({name: kind.subtype for name, kind in frame.dtypes.items() if _is_sparse(kind)})
    return digest({"columns": kinds, "rows": row_digest(dense.reset_index(drop=True))})


def explain_in_parts(
    explain: Explain,
    batches: Iterable[pd.DataFrame],
    folder: Path,
    *,
    key: str,
    total_rows: int | None = None,
    progress: Callable[[Pace], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Parts:
    """Explains batches, those apart that an earlier run with the same key has explained.

    Args:
        explain: Explains a batch.
        batches: (rows, features) each, the same ones in every run.
        folder: Where the parts are kept; it is made, and parts with another key in it are removed. One run at a time.
        key: What decides the values besides the rows, as `work_key` gives it.
        total_rows: Of all batches, for the time that is left.
        progress: Told after every batch.
        clock: Seconds from any moment.

    Returns:
        What was found, on disk.

    Raises:
        BadData: There is no batch.
        BadModel: A batch was explained by other features or outputs than the first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _prepare(folder, key)
    paths: list[Path] = []
    heads: list[_Head] = []
    done, begun, fresh = 0, clock(), 0
    for number, rows in enumerate(batches):
        name = f"part-{number:06}-{frame_digest(rows).removeprefix('sha256:')[:32]}.npz"
        head = _head(folder / name)
        if head is None:
            for other in folder.glob(f"part-{number:06}-*.npz"):
                # The batches of an earlier run began or ended elsewhere.
                other.unlink()
            explanation = explain(rows)
            write_bytes(folder / name, _packed(explanation))
            head = _Head.of(explanation)
            fresh += head.rows
        if heads and head.layout != heads[0].layout:
            raise BadModel(f"Batch {number + 1} was explained by other features or outputs than the first.")
        paths.append(folder / name)
        heads.append(head)
        done += head.rows
        if progress is not None:
            progress(_pace(done, total_rows, fresh, clock() - begun))
    if not paths:
        raise BadData("There are no rows to explain.")
    return Parts(tuple(paths), tuple(heads))


@dataclass(frozen=True)
class Parts:
    """Explanations on disk, a file a batch, and what they say together.

    Attributes:
        paths: Of the files, in the order of the batches.
        heads: What each holds besides its rows.
    """

    paths: tuple[Path, ...]
    heads: tuple[_Head, ...]

    @property
    def rows(self) -> int:
        """Of all batches."""
        return sum(head.rows for head in self.heads)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.heads[0].features

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self.heads[0].outputs

    def explanations(self) -> Iterator[Explanation]:
        """One batch after the other."""
        return map(_unpacked, self.paths)

    def global_values(self, agg: Aggregation = "mean_abs") -> Floats:
        """(features, outputs): the values over all rows, as `Explanation.global_values`, each rounded once."""
        shape = len(self.features), len(self.outputs)
        columns = shape[0] * shape[1]
        if self.rows == 0:
            return np.full(shape, np.nan)
        if agg == "median":
            return medians(self._blocks, self.rows, columns).reshape(shape)
        sums = ExactSums(columns)
        for block in self._blocks():
            sums.add(np.abs(block) if agg == "mean_abs" else block**2)
        return (sums.totals() / self.rows).reshape(shape)

    def to_clarify(self, agg: Aggregation = "mean_abs") -> dict[str, dict[str, Any]]:
        """The `kernel_shap` object of analysis.json, in Clarify's order of keys."""
        overall = self.global_values(agg)
        return {
            output: {
                "global_shap_values": dict(zip(self.features, overall[:, column].tolist(), strict=True)),
                "expected_value": self.heads[0].expected_value[column],
            }
            for column, output in enumerate(self.outputs)
        }

    def facts(self) -> dict[str, Any]:
        """What `Explanation.facts` says of all rows; of the calls it counts those that the parts have cost."""
        every = [head.facts for head in self.heads]
        found = dict(every[0])
        for name in _ADDED:
            found[name] = sum(facts[name] for facts in every)
        for name in ("largest_standard_error", "additivity_gap"):
            found[name] = max((facts[name] for facts in every if facts[name] is not None), default=None)
        found["warnings"] = _joined(text for facts in every for text in facts["warnings"])
        return found

    def write_csv(self, path: Path, keys: Iterable[pd.Series[Any]] | None = None) -> None:
        """Writes out.csv by rename, a batch at a time.

        Args:
            path: The file.
            keys: A first column, in pieces as long as the batches.
        """
        pieces = None if keys is None else iter(keys)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", newline="", delete=False
        ) as stream:
            try:
                for number, explanation in enumerate(self.explanations()):
                    table = explanation.to_frame()
                    if pieces is not None:
                        piece = next(pieces)
                        table.insert(0, str(piece.name), piece.to_numpy())
                    table.to_csv(stream, index=False, header=number == 0, lineterminator="\n")
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise
        # A temporary file is private; a result is to be read by whoever may read the folder.
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(path)

    def _blocks(self) -> Iterator[Floats]:
        for path in self.paths:
            with np.load(path) as part:
                values = part["values"]
            yield values.reshape(len(values), -1)


_ADDED = (
    "rows",
    "exact_rows",
    "values_without_standard_error",
    "coalitions",
    "prediction_rows",
    "prediction_calls",
)


@dataclass(frozen=True)
class _Head:
    """What a part says besides its rows.

    Attributes:
        facts: `Explanation.facts`.
        expected_value: (outputs,).
    """

    facts: dict[str, Any]
    expected_value: tuple[float, ...]

    @classmethod
    def of(cls, explanation: Explanation) -> _Head:
        return cls(explanation.facts(), tuple(explanation.expected_value.tolist()))

    @property
    def rows(self) -> int:
        return int(self.facts["rows"])

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(self.facts["features"])

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(self.facts["outputs"])

    @property
    def layout(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.features, self.outputs


def _is_sparse(kind: Any) -> bool:
    return isinstance(kind, pd.SparseDtype)


def _prepare(folder: Path, key: str) -> None:
    """Leaves in the folder the parts of this key alone, and its manifest."""
    manifest = {"format": FORMAT, "key": key}
    for unfinished in folder.glob(".part-*"):
        unfinished.unlink()
    try:
        known = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = None
    if known != manifest:
        for part in folder.glob("part-*.npz"):
            part.unlink()
        write_text(folder / MANIFEST, json.dumps(manifest, sort_keys=True))


def _packed(explanation: Explanation) -> bytes:
    """The bytes of a part: arrays as they are, all else as one text."""
    arrays: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for field in fields(explanation):
        value = getattr(explanation, field.name)
        (arrays if isinstance(value, np.ndarray) else others)[field.name] = value
    head = {"facts": explanation.facts(), "others": others}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, head=np.array(json.dumps(head)), **arrays)
    return stream.getvalue()


def _unpacked(path: Path) -> Explanation:
    with np.load(path) as part:
        others = json.loads(str(part["head"]))["others"]
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in others.items()
        }
        return Explanation(**given, **{name: part[name] for name in part.files if name != "head"})


def _head(path: Path) -> _Head | None:
    """Of a part that is whole; None where it is missing or damaged."""
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        with np.load(path) as part:
            facts = json.loads(str(part["head"]))["facts"]
            return _Head(facts, tuple(part["expected_value"].tolist()))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _pace(done: int, total: int | None, fresh: int, seconds: float) -> Pace:
    speed = fresh / seconds if fresh and seconds > 0 else None
    left = None if speed is None or total is None else max(0, total - done) / speed
    return Pace(done, total, speed, left)


def _joined(warnings: Iterable[str]) -> list[str]:
    """Each once, in the order in which they came; of those that begin with a count, the counts are added up."""
    counts: dict[str, int | None] = {}
    for text in warnings:
        counted = re.match(r"(\d+) (?=\D)", text)
        if counted is None:
            counts.setdefault(text, None)
        else:
            rest = text[counted.end() :]
            counts[rest] = (counts.get(rest) or 0) + int(counted[1])
    return [text if count is None else f"{count} {text}" for text, count in counts.items()]
