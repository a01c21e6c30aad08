"""`pipeline.yaml`: one document for the five steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from clarify_ops.config.analysis import AnalysisConfig, refuse_unsupported
from clarify_ops.config.card import CardSection
from clarify_ops.config.closed import Closed
from clarify_ops.config.policy import Name, Policy, Words
from clarify_ops.config.registry import RegistrySection
from clarify_ops.documents import digest, read_document
from clarify_ops.errors import BadDocument

ELSEWHERE = "elsewhere"


def _reasons(value: object) -> object:
    # A list is allowed for the impatient; a mapping gives the report its reasons.
    if isinstance(value, list | tuple):
        return dict.fromkeys((str(name) for name in value), "excluded by the pipeline")
    return value


class DataSection(Closed):
    """The dataset.

    Attributes:
        uri: A path (relative to the pipeline's folder), any fsspec URI, or `package://NAME/PATH` for a file that an
            installed Python package ships.
        format: Read from the file name where it is absent.
        label: The column to predict.
        features: Columns the model may see; absent: all that are not excluded, sensitive, the group variable or the label.
        exclude: Columns the model must not see, each with the reason, which the report shows.
        categorical: Columns whose numbers are names.
        missing_values: Codes that stand for a missing value, by column.
        sensitive_features: Facets or the group variable that the model may see after all; a deliberate choice.
    """

    uri: Words
    format: Literal["csv", "parquet"] | None = None
    label: Words
    features: tuple[str, ...] | None = None
    exclude: Annotated[dict[str, Words], BeforeValidator(_reasons)] = Field(default_factory=dict)
    categorical: tuple[str, ...] = ()
    missing_values: dict[str, tuple[int | float | str, ...]] = Field(default_factory=dict)
    sensitive_features: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        both = sorted(set(self.features or ()) & set(self.exclude))
        if both:
            raise ValueError(f"the column {both[0]!r} is both a feature and excluded")
        if self.label in (self.features or ()):
            raise ValueError(f"the label {self.label!r} is also a feature")
        return self


class OutOfFold(Closed):
    """Every row is predicted by a model that did not see it; the model that is released is fitted on all rows."""

    method: Literal["out_of_fold"]
    folds: int = Field(default=5, ge=2, le=50)
    stratify_by: tuple[str, ...] = ()


class HoldOut(Closed):
    """A part of the rows is kept from training, and the metrics are about that part."""

    method: Literal["holdout"]
    test_fraction: float = Field(default=0.25, gt=0.0, lt=1.0)
    stratify_by: tuple[str, ...] = ()


class Unseen(Closed):
    """Every row is judged, by a model that was trained elsewhere: whoever writes this says that it saw none of them."""

    method: Literal["unseen"]


class TrainSection(Closed):
    """The estimator.

    Attributes:
        estimator: Import path of a class with scikit-learn's interface.
        parameters: Its keyword arguments. `random_state` is set to the pipeline's seed where the class has it.
        scale: Standardize numeric columns, for estimators that need it.
    """

    estimator: Annotated[str, Field(pattern=r"^[A-Za-z_][\w]*(\.[A-Za-z_]\w*)+$")]
    parameters: dict[str, Any] = Field(default_factory=dict)
    scale: bool = False

    @field_validator("parameters")
    @classmethod
    def _plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"only text, truth values, finite numbers, lists and mappings can be kept ({error})"
            ) from error
        return value


class Elsewhere(Closed):
    """A model that was trained elsewhere, which the train step is given and does not fit.

    Attributes:
        elsewhere: Who trained it, and how: words for the report and the card.
        trust: Whether its files may be opened though reading them runs what is in them, as pickles do.
    """

    elsewhere: Words
    trust: bool = False

    @model_validator(mode="before")
    @classmethod
    def _not_fitted_too(cls, value: object) -> object:
        if isinstance(value, Mapping) and "estimator" in value:
            raise ValueError("the model is fitted here (estimator) or was trained elsewhere (elsewhere), not both")
        return value


def _origin(value: object) -> str:
    """Which of the two sections is meant; the names are no keys of theirs, so that no sentence takes them for one."""
    if isinstance(value, Mapping):
        given = ELSEWHERE in value or ("trust" in value and "estimator" not in value)
    else:
        given = isinstance(value, Elsewhere)
    return "given" if given else "fitted"


Origin = Annotated[Annotated[TrainSection, Tag("fitted")] | Annotated[Elsewhere, Tag("given")], Discriminator(_origin)]


class Pipeline(Closed):
    """The whole document, with the documents it refers to read in."""

    version: Literal["1"] = "1"
    name: Name
    seed: int = Field(ge=0, lt=2**32)
    data: DataSection
    split: Annotated[OutOfFold | HoldOut | Unseen, Field(discriminator="method")] = OutOfFold(method="out_of_fold")
    train: Origin
    analysis: AnalysisConfig
    policy: Policy
    registry: RegistrySection
    card: CardSection = CardSection()

    @model_validator(mode="before")
    @classmethod
    def _all_rows_of_a_given_model(cls, value: object) -> object:
        if isinstance(value, Mapping) and "split" not in value and _origin(value.get("train")) == "given":
            return {**value, "split": {"method": "unseen"}}
        return value

    @model_validator(mode="after")
    def _rows_that_can_be_judged(self) -> Self:
        if isinstance(self.train, Elsewhere) != isinstance(self.split, Unseen):
            if isinstance(self.split, Unseen):
                raise ValueError(
                    "split.method is unseen, which is for a model that was trained elsewhere (train.elsewhere); "
                    "a model that is fitted here is judged out_of_fold or by a holdout"
                )
            raise ValueError(
                f"split.method is {self.split.method}, but the model was trained elsewhere and nobody here knows which rows "
                "it saw; leave out split: every row is judged, so give only rows that the training did not see"
            )
        return self

    @property
    def configuration_digest(self) -> str:
        """Digest of all that decides a number: not where data or registry are, what a policy asks or a card says."""
        document = self.model_dump(mode="json", exclude={"policy", "registry", "card"})
        document["data"].pop("uri")
        return digest(document)


# These keys hold a document, or the path of one.
_BY_PATH = {"analysis": "analysis configuration", "policy": "policy", "card": "card"}
_DATASET_TYPES = {"csv": "text/csv", "parquet": "application/x-parquet", None: "text/csv"}


def load_pipeline(path: str | Path, *, policy: str | Path | None = None, data: str | None = None) -> Pipeline:
    """Reads a pipeline and the documents it names.

    Args:
        path: `pipeline.yaml`.
        policy: A policy to use in place of the pipeline's own.
        data: A data URI to use in place of the pipeline's own; a relative path is relative to the working directory.

    Raises:
        BadDocument: One sentence: which document, which key, what is wrong.
        NotSupported: The analysis uses a key of Clarify's that pipelines do not.
    """
    file = Path(path)
    document = inline(file, policy=policy)
    if data is not None:
        document["data"] = {
            **_mapping(document, "data", file),
            "uri": data if "://" in data else str(Path(data).resolve()),
        }
    pipeline = Pipeline.parse(document, f"The pipeline {file}")
    refuse_unsupported(pipeline.analysis, f"The pipeline {file}, key analysis")
    return pipeline


def inline(path: str | Path, *, policy: str | Path | None = None) -> dict[str, Any]:
    """The pipeline as one self-contained document: what it names by path is read in, paths of data become absolute.

    An orchestrator hands this text to its tasks, which then need no other file.
    """
    file = Path(path)
    what = f"The pipeline {file}"
    document = read_document(file, "pipeline")
    if not isinstance(document, dict):
        raise BadDocument(f"{what} must be a mapping of keys to values.", "See examples/mortgage/pipeline.yaml.")
    document = dict(document)
    if policy is not None:
        document["policy"] = read_document(policy, "policy")
        Policy.parse(document["policy"], f"The policy {policy}")
    for key, name in _BY_PATH.items():
        if isinstance(document.get(key), str):
            named = file.parent / document[key]
            document[key] = read_document(named, name)
            if key == "policy":
                Policy.parse(document[key], f"The policy {named}")
    data = _mapping(document, "data", file)
    if isinstance(data.get("uri"), str) and "://" not in data["uri"]:
        document["data"] = {**data, "uri": str((file.parent / data["uri"]).resolve())}
    if isinstance(document.get("analysis"), dict):
        document["analysis"] = _completed(document["analysis"], data, what)
    return document


def _completed(analysis: dict[str, Any], data: dict[str, Any], what: str) -> dict[str, Any]:
    """The analysis with what the data section already says, so that nothing is written twice."""
    known = {"dataset_type": _DATASET_TYPES.get(data.get("format"), "text/csv"), "label": data.get("label")}
    for key, value in known.items():
        if key == "label" and key in analysis and analysis[key] != value:
            raise BadDocument(
                f"{what}: analysis.label is {analysis[key]!r}, but data.label is {value!r}.", "Leave one out."
            )
    return {**known, **analysis}


def _mapping(document: dict[str, Any], key: str, file: Path) -> dict[str, Any]:
    if key not in document:
        raise BadDocument(f"The pipeline {file} lacks the key {key}.")
    value = document[key]
    if not isinstance(value, dict):
        raise BadDocument(f"The pipeline {file}, key {key}: must be a mapping of keys to values.")
    return value
