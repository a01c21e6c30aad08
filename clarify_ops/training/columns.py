"""Which columns the model sees, and how each is made ready for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.config.pipeline import DataSection
from clarify_ops.data.source import Dataset
from clarify_ops.errors import BadData

if TYPE_CHECKING:
    import pandas as pd

FeatureKind = Literal["numeric", "categorical"]


@dataclass(frozen=True)
class FeatureColumns:
    """The model's features.

    Attributes:
        kinds: Kind of each feature, in the order of the model's input.
        left_out: Every other column, with the reason why.
    """

    kinds: Mapping[str, FeatureKind]
    left_out: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """In the order of the model's input."""
        return list(self.kinds)

    def of_kind(self, kind: FeatureKind) -> list[str]:
        """The features of one kind, in order."""
        return [name for name, one in self.kinds.items() if one == kind]

    def frame(self, data: pd.DataFrame) -> pd.DataFrame:
        """The model's input: (rows, features), all that are numbers as float64, text as it is.

        Integers become floats, codes of categories too, because a later batch may lack a value where this one has none.
        """
        import pandas as pd

        chosen = data[self.names]
        numbers = [name for name in self.names if pd.api.types.is_numeric_dtype(chosen[name].dtype)]
        return chosen.astype(dict.fromkeys(numbers, "float64"))


def choose_features(dataset: Dataset, section: DataSection, analysis: AnalysisConfig) -> FeatureColumns:
    """Decides what the model may see: sensitive columns and the group variable stay out unless the user asks for them.

    Raises:
        BadData: A named column is unknown, nothing is left, or a column holds text where numbers belong.
    """
    frame = dataset.frame
    where = {"data.label": [section.label], "data.features": section.features or (), "data.exclude": section.exclude}
    where |= {"data.categorical": section.categorical, "data.sensitive_features": section.sensitive_features}
    for key, columns in where.items():
        dataset.require(list(columns), key)
    sensitive = sensitive_columns(frame.columns, analysis)
    left_out: dict[str, str] = {}
    names: list[str] = []
    for name in map(str, frame.columns):
        if name == section.label:
            left_out[name] = "the label"
        elif name in section.exclude:
            left_out[name] = section.exclude[name]
        elif name in sensitive and name not in section.sensitive_features:
            left_out[name] = sensitive[name]
        elif section.features is not None and name not in section.features:
            left_out[name] = "not among data.features"
        else:
            names.append(name)
    blocked = sorted(set(section.features or ()) & set(left_out))
    if blocked:
        raise BadData(
            f"data.features names {blocked[0]!r}, which is {left_out[blocked[0]]} and stays out of the model.",
            "Name it under data.sensitive_features too if the model is meant to see it.",
        )
    if not names:
        raise BadData("No column is left for the model to learn from.", "Look at data.features and data.exclude.")
    ordered = list(section.features) if section.features is not None else names
    return FeatureColumns({name: _kind(frame[name], section, dataset.uri) for name in ordered}, left_out)


def sensitive_columns(columns: Iterable[Any], analysis: AnalysisConfig) -> dict[str, str]:
    """The facets and the group variable, with the reason why the model does not see them."""
    names = [str(name) for name in columns]
    reasons: dict[str, str] = {}
    if analysis.group_variable is not None:
        reasons[_named(names, analysis.group_variable)] = "the group variable"
    for facet in analysis.facet or ():
        reasons[_named(names, facet.name_or_index)] = "a facet"
    return reasons


def _named(columns: Sequence[str], column: str | int) -> str:
    return columns[column] if isinstance(column, int) and 0 <= column < len(columns) else str(column)


def _kind(column: pd.Series, section: DataSection, uri: str) -> FeatureKind:
    import pandas as pd

    if str(column.name) in section.categorical:
        return "categorical"
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return "numeric"
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categorical"
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        raise BadData(
            f"The column {str(column.name)!r} of {uri} holds times, which no estimator takes.",
            "Exclude it, or store what it means as a number, such as days since a date.",
        )
    numbers = pd.to_numeric(column, errors="coerce")
    text = column[numbers.isna() & column.notna()]
    if 0 < len(text) < column.notna().sum() / 2:
        # Most of it are numbers: a stray word would silently turn a measurement into hundreds of categories.
        raise BadData(
            f"The column {str(column.name)!r} of {uri} holds numbers, but row {int(text.index[0]) + 1} says {text.iloc[0]!r}.",
            f"Correct it, list it under data.missing_values, or name the column under data.categorical ({len(text)} such rows).",
        )
    if text.empty and column.notna().any():
        raise BadData(
            f"The column {str(column.name)!r} of {uri} holds numbers written as text.",
            "Name it under data.categorical if they are names; otherwise store them as numbers.",
        )
    return "categorical"


def preprocessing(columns: FeatureColumns, *, accepts_missing: bool, scale: bool) -> Any:
    """The column pipeline: a scikit-learn ColumnTransformer, not fitted.

    Args:
        columns: The features.
        accepts_missing: Whether the estimator takes missing values; otherwise numeric ones become the median.
        scale: Whether numeric columns are standardized.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    steps: list[tuple[str, Any]] = []
    if not accepts_missing:
        # A column without a single value has no median: it stays, as zeros, so that the columns keep their places.
        steps.append(("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    if scale:
        steps.append(("scale", StandardScaler()))
    parts: list[tuple[str, Any, list[str]]] = []
    if numeric := columns.of_kind("numeric"):
        parts.append(("numeric", Pipeline(steps) if steps else "passthrough", numeric))
    if categorical := columns.of_kind("categorical"):
        # A missing value is a category of its own; a category that training did not have is none of the known ones.
        parts.append(("categorical", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categorical))
    return ColumnTransformer(parts, verbose_feature_names_out=False)
