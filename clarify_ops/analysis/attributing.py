"""Attributions of all rows of a dataset, batch by batch, by the explainer that the model calls for."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.baselines import Background
from clarify_ops.analysis.explaining import feature_named
from clarify_ops.analysis.job import Job
from clarify_ops.config.analysis import Shap
from clarify_ops.data.frame import row_digest
from clarify_ops.data.row_batches import RowBatches
from clarify_ops.documents import digest
from clarify_ops.errors import NotSupported

if TYPE_CHECKING:
    from clarify_ops.explain.choosing import Choice
    from clarify_ops.explain.explanation import Explanation, Floats
    from clarify_ops.explain.question import Question
    from clarify_ops.explain.streaming import Overall, Parts

Progress = Callable[[str], None]

KEPT_NUMBERS = 20_000_000
"""Attributions that are handed on in memory; of more only the files and what they sum up to."""


@dataclass(frozen=True)
class Attributed:
    """Attributions of all rows.

    Attributes:
        overall: What they sum up to.
        shown: Those of the rows that were asked for.
        whole: All of them, unless they are very many and lie in a file.
        choice: Which explainer made them, and why.
        reused: Batches that an earlier run had explained.
    """

    overall: Overall
    shown: Explanation
    whole: Explanation | None
    choice: Choice
    reused: int


@dataclass(frozen=True)
class Attribution:
    """How rows are explained.

    Attributes:
        job: What is asked for.
        settings: Of `methods.shap`.
        asked: The model.
        names: Of the features.
        background: The baseline rows.
        progress: Told what is being done.
        rows_at_once: Rows of one question to the model.
    """

    job: Job
    settings: Shap
    asked: AskedModel
    names: list[str]
    background: Background
    progress: Progress
    rows_at_once: int

    def run(
        self, batches: RowBatches, shown: np.ndarray[Any, np.dtype[np.intp]], parts: Path | None, table: Path | None
    ) -> Attributed:
        """Explains all rows.

        Args:
            batches: The dataset.
            shown: Positions of the rows whose attributions are wanted in memory.
            parts: Folder for what a later run goes on from; None for one that is gone when this returns.
            table: The file of all attributions to write, if any.

        Raises:
            NotSupported: The explainer that is asked for cannot be used.
            BadModel: The model's answers are no scores.
        """
        from clarify_ops.explain.ahead import said_ahead
        from clarify_ops.explain.streaming import BATCH_ROWS, Parts, merged

        asked = self._question(next(batches.read(BATCH_ROWS))[self.names])
        choice = self._choice(asked)
        self.progress(choice.said())
        if ahead := said_ahead(asked, choice.explainer, batches.rows):
            self.progress(ahead)
        with _folder(parts) as folder:
            made = Parts(folder, self._key(choice))
            rows = (batch[self.names] for batch in batches.read(BATCH_ROWS))
            made.explain(
                rows, lambda batch: self._explained(asked, batch, choice), self._predict, batches.rows, self.progress
            )
            if made.reused:
                self.progress(f"{made.reused} batches of rows were explained by an earlier run")
            overall = made.overall(self.settings.agg_method)
            if table is not None:
                self.progress("writing the attributions")
                write_table(table, made, batches)
            numbers = batches.rows * overall.global_values.size
            # Who reads rows from files has them in a file again.
            kept = table is None or (batches.whole and numbers <= KEPT_NUMBERS)
            whole = merged(made) if kept else None
            return Attributed(overall, made.at(shown), whole, choice, made.reused)

    def _choice(self, question: Question) -> Choice:
        from clarify_ops.explain.choosing import AUTO, READ, named, stands_in

        wanted = self.job.config.clarify_ops.explainer
        standing = stands_in(question)
        if wanted == AUTO:
            return standing
        choice = named(question, wanted)
        if wanted in READ and standing.explainer != wanted:
            why = dict(standing.considered).get(wanted, standing.reason)
            raise NotSupported(
                f"{wanted} cannot take the place of Kernel SHAP here: {why}.", 'Set clarify_ops.explainer to "auto".'
            )
        return choice

    def _question(self, rows: pd.DataFrame) -> Question:
        from clarify_ops.explain.question import Question

        return Question.of(self.asked, rows.reset_index(drop=True), self.background.rows, **self._wanted())

    def _wanted(self) -> dict[str, Any]:
        settings, own = self.settings, self.job.config.clarify_ops
        chosen = settings.features_to_explain
        return {
            "seed": own.seed if settings.seed is None else settings.seed,
            "num_samples": settings.num_samples,
            "max_standard_error": own.max_standard_error,
            "features_to_explain": None if chosen is None else [feature_named(self.names, one) for one in chosen],
            "use_logit": settings.use_logit,
            "labels": self.asked.outputs(),
            "batch_rows": self.rows_at_once,
            "progress": self._asked_about,
        }

    def _explained(self, asked: Question, batch: pd.DataFrame, choice: Choice) -> Explanation:
        from clarify_ops.explain.choosing import answered

        found = answered(asked.further(batch.reset_index(drop=True)), choice)
        return replace(found, reason=choice.said(), background=self.background.how)

    def again(self, rows: pd.DataFrame, background: pd.DataFrame, seed: int) -> Explanation:
        """Explains a few rows against another background, or with another seed."""
        from clarify_ops.explain.choosing import explain

        method = self._choice(self._question(rows)).explainer
        return explain(self.asked, rows, background, method, **{**self._wanted(), "seed": seed, "progress": None})

    def _asked_about(self, done: int, total: int) -> None:
        self.progress(f"asked the model about {done:,} of {total:,} rows")

    def _predict(self, rows: pd.DataFrame) -> Floats:
        """The model in the unit of the attributions."""
        from clarify_ops.explain.game import checked_outputs
        from clarify_ops.explain.playing import LogOdds

        if self.settings.use_logit:
            return LogOdds(self.asked.scores)(rows)
        return checked_outputs(self.asked.scores(rows), len(rows))

    def _key(self, choice: Choice) -> str:
        """Of all that attributions follow from, but for the rows and the model's answers."""
        settings = self.settings.model_dump(mode="json", exclude={"baseline", "agg_method", "save_local_shap_values"})
        own = self.job.config.clarify_ops
        background = self.background.rows
        told = [
            version("clarify-ops"),
            settings,
            [own.seed, own.max_standard_error, choice.explainer],
            [self.names, list(map(str, background.dtypes)), row_digest(background)],
            self.asked.name,
        ]
        return digest(told)


def write_table(path: Path, parts: Parts, batches: RowBatches) -> None:
    """Writes out.csv: a row a row of the dataset, columns `<feature>_<label>`, and the row's key first."""
    from clarify_ops.explain.streaming import BATCH_ROWS

    key = batches.data.join
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, (part, batch) in enumerate(zip(parts, batches.read(BATCH_ROWS), strict=True)):
            table = part.to_frame()
            if key is not None:
                table.insert(0, key, batch[key].to_numpy())
                table.to_csv(file, index=False, header=number == 0)
                continue
            if number == 0:
                csv.writer(file, lineterminator=os.linesep).writerow(table.columns)
            # The bytes of to_csv, which takes twice as long for finite numbers.
            file.writelines(",".join(map(repr, row)) + os.linesep for row in table.to_numpy().tolist())


@contextmanager
def _folder(parts: Path | None) -> Iterator[Path]:
    if parts is not None:
        yield parts
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)
