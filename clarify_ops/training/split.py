"""Which rows a prediction may be judged on: those that the model which made it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.pipeline import HoldOut, OutOfFold, Unseen
from clarify_ops.data.source import Dataset, row_digest
from clarify_ops.errors import BadData


@dataclass(frozen=True)
class Split:
    """Rows by fold.

    Attributes:
        fold: (rows,) number of the fold in which a row is predicted; -1 for rows that only train.
        folds: How many.
        digests: Of the rows of each fold, and of those that only train, by name.
        fitted_here: Whether the model is fitted on some of these rows; else it was trained elsewhere, on rows that nobody here
            knows.
    """

    fold: NDArray[np.int64]
    folds: int
    digests: dict[str, str]
    fitted_here: bool = True

    @property
    def evaluated(self) -> NDArray[np.bool_]:
        """(rows,) whether a row is predicted by a model that did not see it."""
        return self.fold >= 0

    @property
    def words(self) -> str:
        """For the reports."""
        if not self.fitted_here:
            return f"as unseen, all {len(self.fold)} rows"
        if self.folds > 1:
            return f"out-of-fold, {self.folds} folds, all {len(self.fold)} rows"
        return f"hold-out, {int(self.evaluated.sum())} of {len(self.fold)} rows"

    def rounds(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """(rows to fit, rows to predict) of each fold; none where nothing is fitted here."""
        for number in range(self.folds if self.fitted_here else 0):
            yield self.fold != number, self.fold == number

    @property
    def released(self) -> NDArray[np.bool_]:
        """(rows,) the rows that the released model is fitted on: with folds all, with a hold-out those kept for it."""
        return np.ones(len(self.fold), dtype=bool) if self.folds > 1 else ~self.evaluated


def split_rows(dataset: Dataset, positive: NDArray[np.bool_], how: OutOfFold | HoldOut | Unseen, seed: int) -> Split:
    """Splits by the label, and by further columns where asked, with one seed.

    Args:
        dataset: The rows.
        positive: (rows,) label.
        how: The pipeline's `split` section.
        seed: The pipeline's seed.

    Raises:
        BadData: A stratum has fewer rows than there are folds, or a part of a hold-out no row of it.
    """
    if isinstance(how, Unseen):
        everything = {"judged rows": row_digest(dataset.frame)}
        return Split(np.zeros(len(positive), dtype=np.int64), 1, everything, fitted_here=False)
    from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

    strata, names = _strata(dataset, positive, how.stratify_by)
    fold = np.full(len(positive), -1, dtype=np.int64)
    smallest = np.bincount(strata).min()
    needed = how.folds if isinstance(how, OutOfFold) else 2
    if smallest < needed:
        raise BadData(
            f"The split needs at least {needed} rows of every {names}, but one combination has {smallest}.",
            "Use fewer folds, or fewer columns under split.stratify_by.",
        )
    blank = np.zeros((len(positive), 1))
    if isinstance(how, OutOfFold):
        splitter = StratifiedKFold(n_splits=how.folds, shuffle=True, random_state=seed)
        for number, (_, predicted) in enumerate(splitter.split(blank, strata)):
            fold[predicted] = number
        folds = how.folds
    else:
        held = StratifiedShuffleSplit(n_splits=1, test_size=how.test_fraction, random_state=seed)
        try:
            _, predicted = next(held.split(blank, strata))
        except ValueError as error:
            raise BadData(
                f"A part of {how.test_fraction:g} of {len(positive)} rows cannot hold a row of every {names}, and leave one.",
                "Change split.test_fraction, or split out of fold.",
            ) from error
        fold[predicted] = 0
        folds = 1
    digests = {_fold_name(number): row_digest(dataset.frame[fold == number]) for number in sorted(set(fold.tolist()))}
    return Split(fold, folds, digests)


def _fold_name(number: int) -> str:
    return "training rows" if number < 0 else f"fold {number}"


def _strata(dataset: Dataset, positive: NDArray[np.bool_], columns: tuple[str, ...]) -> tuple[NDArray[np.int64], str]:
    if len(set(positive.tolist())) < 2:
        outcome = "positive" if positive.any() else "negative"
        raise BadData(
            f"All labels are {outcome}: there is nothing to learn.", "Check analysis.label_values_or_threshold."
        )
    dataset.require(list(columns), "split.stratify_by")
    key = pd.DataFrame({"label": positive, **{name: dataset.frame[name] for name in columns}})
    codes = key.groupby(list(key.columns), dropna=False, sort=True).ngroup().to_numpy()
    return codes.astype(np.int64), " and ".join(["label", *columns])
