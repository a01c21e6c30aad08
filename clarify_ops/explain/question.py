"""What is asked of an explainer, and what can be read off the model without asking it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadModel, NotSupported
from clarify_ops.explain.encoding import CONSTANT, Untraced, encoding, other_columns
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.game import BATCH_ROWS, Floats, MaskedModel, Predict, checked_outputs
from clarify_ops.explain.library import LibraryValues, read_library_values
from clarify_ops.explain.linear import LinearModel, read_linear
from clarify_ops.explain.matching import Match, match
from clarify_ops.explain.network import Network, read_network
from clarify_ops.explain.playing import Progress
from clarify_ops.explain.source_check import mixed_sources
from clarify_ops.explain.sparse_rows import given_rows
from clarify_ops.explain.taken_columns import taken_columns
from clarify_ops.explain.tree import TreeSums, read_tree_sums
from clarify_ops.models.model import Model

MATCHED_ROWS = 256
"""Of the explained rows, and of the background, on which sums are held against what the model says."""


class Sums(Protocol):
    """Something read off a model, whose outputs are sums."""

    @property
    def estimator(self) -> str:
        """Name of the class that it was read off."""
        ...

    @property
    def unit(self) -> str:
        """Of the outputs."""
        ...

    def outputs(self, rows: pd.DataFrame) -> Floats:
        """(rows, sums)."""
        ...


@dataclass(frozen=True, eq=False)
class Question:
    """A model, rows, a background, and what is wanted of them.

    Attributes:
        predict: The model: rows like `rows` -> (rows, outputs) or (rows,).
        rows: (rows, features) to explain.
        background: (baseline rows, features), same columns; None for the training rows, which only trees remember.
        names: Of all features of the model; those that are not in `rows` are zero everywhere.
        listed: Of the features that values are wanted of, in the order of the data.
        ignored: Those of them that the model leaves out before it answers.
        kept: (features,) positions of the columns of `rows` among `names`.
        again: Asks the same about other rows.
        restore: From rows like `rows` to what `predict` was meant for.
        prepare: From these to what the estimator is given.
        estimator: The fitted object behind the model; None where it cannot be seen.
        seed: Fixes whatever is drawn.
        num_samples: Coalitions per row; None for each explainer's own number.
        max_standard_error: What no standard error is to exceed; None to spend the budget.
        features_to_explain: Names of the features that play; None for all.
        use_logit: Explain the log-odds of the outputs, which must then be probabilities.
        labels: Names of the outputs; None for label0, label1, ...
        batch_rows: Most rows in one prediction call.
        progress: Told how far the predictions are.
        made: What does not depend on the rows, by name, as far as it was made.
    """

    predict: Predict
    rows: pd.DataFrame
    background: pd.DataFrame | None
    names: tuple[str, ...]
    listed: tuple[str, ...]
    ignored: tuple[str, ...]
    kept: NDArray[np.intp]
    again: Callable[[Any], Question]
    restore: Callable[[pd.DataFrame], Any] = field(default=lambda rows: rows)
    prepare: Callable[[Any], Any] = field(default=lambda rows: rows)
    estimator: Any = None
    seed: int = 0
    num_samples: int | None = None
    max_standard_error: float | None = None
    features_to_explain: Sequence[str] | None = None
    use_logit: bool = False
    labels: Sequence[str] | None = None
    batch_rows: int = BATCH_ROWS
    progress: Progress | None = None
    made: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        model: object,
        rows: Any,
        background: Any = None,
        *,
        estimator: object | None = None,
        batch_rows: int = BATCH_ROWS,
        **wanted: Any,
    ) -> Question:
        """Asks about a model, however it is given.

        Columns that a model leaves out before it answers are no players of any game: where it says what it takes
        (`prepared`), the others are left out here too.

        Args:
            model: A `Model`, a fitted estimator with `predict_proba`, `decision_function` or `predict`, or a function.
            rows: DataFrame or scipy sparse matrix.
            background: Of the same kind; None for the training rows.
            estimator: The fitted object that answers, where the model is a function in front of it.
            batch_rows: Most rows in one prediction call; fewer are taken where rows are sparse and wide.
            wanted: Further attributes, by name.

        Raises:
            BadModel: It is none of these.
            BadData: Nor are the rows.
        """
        answer, behind = _answering(model)
        prepare = getattr(model, "prepared", lambda rows: rows)
        chosen = wanted.pop("features_to_explain", None)
        taken = taken_columns(prepare, rows, background, chosen)
        given = given_rows(taken.rows, taken.background, taken.features_to_explain)

        same = {"estimator": estimator, "batch_rows": batch_rows, "features_to_explain": chosen, **wanted}
        columns = given.names if taken.columns is None else taken.columns
        return cls(
            predict=lambda frame: answer(given.restore(frame)),
            rows=given.rows,
            background=given.background,
            names=given.names,
            listed=tuple(name for name in columns if chosen is None or name in chosen),
            ignored=taken.ignored,
            kept=given.kept,
            again=lambda others: cls.of(model, others, background, **same),
            restore=given.restore,
            prepare=prepare,
            estimator=behind if estimator is None else estimator,
            batch_rows=batch_rows if len(given.kept) == len(given.names) else min(batch_rows, given.most_rows),
            features_to_explain=taken.features_to_explain,
            **wanted,
        )

    def further(self, rows: Any) -> Question:
        """The same question about other rows; nothing is made twice that does not depend on them."""
        other = self.again(rows)
        same = np.array_equal(other.kept, self.kept) and other.rows.dtypes.equals(self.rows.dtypes)
        return replace(other, made=self.made) if same else other

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What is made for all rows together when it is first asked for."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    @property
    def linear(self) -> LinearModel | Untraced:
        """The coefficients of the model, or why there are none to see."""
        found: LinearModel | Untraced = self.once("linear", self._read_linear)
        return found

    def _read_linear(self) -> LinearModel | Untraced:
        place = self._places
        if isinstance(place, Untraced):
            return place
        found = self._mixing or read_linear(self.estimator, len(place))
        if isinstance(found, Untraced):
            return found
        transform, made = found.transform, _placed(found.sources, place)
        return replace(
            found, sources=made, features=len(self.kept), transform=lambda rows: transform(self._for_estimator(rows))
        )

    @property
    def trees(self) -> TreeSums | Untraced:
        """The trees of the model, or why there are none to see."""
        found: TreeSums | Untraced = self.once("trees", self._read_trees)
        return found

    def _read_trees(self) -> TreeSums | Untraced:
        place = self._places
        if isinstance(place, Untraced):
            return place
        found = self._mixing or read_tree_sums(self.estimator, len(place))
        if isinstance(found, Untraced):
            return found
        encode, players = found.model.encode, _placed(found.model.players, place).astype(np.int64)
        return TreeSums(replace(found.model, encode=lambda rows: encode(self._for_estimator(rows)), players=players))

    @cached_property
    def library(self) -> LibraryValues | Untraced:
        """How the model's own library is asked about it, or why it is not."""
        place = self._places
        if isinstance(place, Untraced):
            return place
        found = self._mixing or read_library_values(self.estimator, len(place))
        if isinstance(found, Untraced):
            return found
        prepare, made = found.prepare, _placed(found.sources, place)
        found = replace(found, sources=made, prepare=lambda rows: prepare(self._for_estimator(rows)))
        flaw = found.flaw(_spread(self.rows)) if len(self.rows) else ""
        return Untraced(found.estimator, f"is not explained by its library: {flaw}") if flaw else found

    @cached_property
    def network(self) -> Network | Untraced:
        """The network of layers that answers, or why there is none to see."""
        place = self._places
        if isinstance(place, Untraced):
            return place
        if self.features_to_explain is not None or not np.array_equal(place, np.arange(len(self.names))):
            return Untraced(type(self.estimator).__name__, "is explained by its layers for all features in their order")
        return read_network(self.estimator, self._for_estimator)

    @cached_property
    def _mixing(self) -> Untraced | None:
        """Why the columns of a pipeline are not made of the features that they were traced to; None where they are."""
        found = encoding(self.estimator, len(self.names))
        if isinstance(found, Untraced) or found.estimator is self.estimator:
            return None
        rows = self._for_estimator(_spread(self.rows if len(self.rows) or self.background is None else self.background))
        if not isinstance(rows, pd.DataFrame):
            return None
        try:
            return mixed_sources(found, rows)
        except Exception as error:  # Transformers are anybody's code; why they are not seen through is told.
            return Untraced("Pipeline", f"takes no rows like these by itself: {type(error).__name__}")

    def _for_estimator(self, rows: pd.DataFrame) -> Any:
        return self.prepare(self.restore(rows))

    @cached_property
    def _places(self) -> NDArray[np.intp] | Untraced:
        """Of each column that the estimator is given, its position in `rows`; CONSTANT where it is zero everywhere.

        Untraced where a function stands in front of the estimator and gives it columns of its own making.
        """
        what = type(self.estimator).__name__
        # Without rows to explain, those of the background tell.
        example = self.rows.iloc[:1] if len(self.rows) or self.background is None else self.background.iloc[:1]
        given = self._for_estimator(example)
        names = [str(name) for name in given.columns] if isinstance(given, pd.DataFrame) else list(self.names)
        if len(names) != len(self.names):
            return other_columns(what, len(names), len(self.names))
        known = getattr(self.estimator, "feature_names_in_", None)
        if known is not None and list(map(str, known)) != names:
            return Untraced(what, "was fitted on columns of other names")
        place = np.full(len(self.names), CONSTANT, dtype=np.intp)
        place[self.kept] = np.arange(len(self.kept))
        if set(names) != set(self.names):
            # Names that a library made up stand for the columns in their order.
            return place
        where = {name: position for position, name in enumerate(self.names)}
        return place[[where[name] for name in names]]

    @cached_property
    def _sample(self) -> tuple[pd.DataFrame, Floats]:
        """Some rows, explained ones and background, and what the model says of them."""
        behind = self.rows.iloc[:1] if self.background is None else self.background
        if len(behind) == 0:
            return self.rows, np.empty((0, 1))
        model = MaskedModel(self.predict, _spread(self.rows), _spread(behind), batch_rows=self.batch_rows)
        hybrids = model.hybrids
        outputs = [model.predict_background()]
        frames = [hybrids.background(0, hybrids.background_count)]
        if hybrids.row_count:
            outputs.append(model.predict_rows())
            frames.append(hybrids.rows(0, hybrids.row_count))
        return pd.concat(frames, ignore_index=True), np.concatenate(outputs)

    def match(self, sums: Sums, predictions: Floats | None = None) -> Match | str:
        """How the outputs asked about follow from sums that were read off the model, or a clause that says why not.

        Args:
            sums: What was read.
            predictions: (rows, sums) of the rows, where they are known. What held for earlier rows is then only looked at
                again, on some of these.

        Raises:
            BadModel: The model's outputs are not finite numbers of one shape.
        """
        if self.use_logit and sums.unit != "log-odds":
            return f"{sums.estimator} adds up to its {sums.unit}, and log-odds are asked about"
        name = f"match of {type(sums).__name__}"
        known, whose = self.made.get(name, (None, None))
        if known is not None and (whose is self or (predictions is not None and self._still(known, predictions))):
            return cast("Match", known)
        rows, outputs = self._sample
        try:
            made = sums.outputs(rows)
        except BadData as refused:
            # The model has answered these rows: something in front of it turns them into what it takes.
            return f"{sums.estimator} takes no rows like these by itself: {refused.message.rstrip('.')}"
        found = match(made, outputs, log_odds=self.use_logit)
        if isinstance(found, Match):
            self.made[name] = found, self
            return found
        return f"{sums.estimator} adds up to its {sums.unit}, and what the model answers is another number (by {found:.2g})"

    def _still(self, known: Match, predictions: Floats) -> bool:
        """Whether the outputs follow from the sums of these rows as they did from those of earlier ones."""
        places = _places_all_over(len(self.rows))
        if len(places) == 0:
            return True
        outputs = checked_outputs(self.predict(self.rows.iloc[places]), len(places))
        return known.holds(predictions[places], outputs, log_odds=self.use_logit)

    @property
    def baseline(self) -> pd.DataFrame:
        """The background, where there has to be one.

        Raises:
            NotSupported: There is none.
        """
        if self.background is None:
            raise NotSupported("Nothing takes the place of absent features.", "Give baseline rows.")
        return self.background

    def settled(self, explanation: Explanation, matched: Match | str) -> Explanation:
        """An explanation of sums as one of the outputs asked about; where they do not match, as what it is.

        Raises:
            NotSupported: Log-odds are asked about, and these sums are none.
        """
        if isinstance(matched, Match):
            return matched.explained(explanation, self.labels)
        if self.use_logit:
            raise NotSupported(f"{explanation.explainer} cannot be used: {matched}.", "Drop use_logit.")
        warning = f"The {explanation.unit} is explained, and not what the model answers."
        return replace(explanation, warnings=(*explanation.warnings, warning))

    def widened(self, explanation: Explanation) -> Explanation:
        """With the features that play no part: those that are zero everywhere, and those that the model leaves out."""
        if explanation.features == self.listed:
            return explanation
        shape = (len(explanation.values), len(self.listed), explanation.values.shape[2])
        values, errors = np.zeros(shape), np.zeros(shape)
        places = [self.listed.index(name) for name in explanation.features]
        values[:, places], errors[:, places] = explanation.values, explanation.standard_errors
        warnings = explanation.warnings
        if self.ignored:
            names = ", ".join(map(repr, self.ignored))
            warnings = (*warnings, f"The model leaves these features out, and so they have 0 everywhere: {names}.")
        return replace(explanation, features=self.listed, values=values, standard_errors=errors, warnings=warnings)


def _placed(sources: NDArray[np.integer], place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Positions in the rows, from positions among what the estimator is given."""
    return np.where(sources == CONSTANT, CONSTANT, place[sources])


def _spread(rows: pd.DataFrame) -> pd.DataFrame:
    """Some rows from all over."""
    return rows if len(rows) <= MATCHED_ROWS else rows.iloc[_places_all_over(len(rows))]


def _places_all_over(rows: int) -> NDArray[np.intp]:
    return np.linspace(0, rows - 1, min(rows, MATCHED_ROWS)).astype(np.intp)


def _answering(model: object) -> tuple[Callable[[Any], Any], Any]:
    """A function that answers rows, and the fitted object behind it, if any."""
    if isinstance(model, Model):
        return model.answer, model.estimator
    for method in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, method):
            return getattr(model, method), model
    if callable(model):
        return model, None
    raise BadModel(
        f"A {type(model).__name__} is no model.",
        "Give a fitted estimator, a function of rows, or a model that was loaded.",
    )
