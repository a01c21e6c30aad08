"""Explanations of an analysis: which explainer fills Clarify's files, with the values that the kernel would give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from clarify_ops.analysis.analyze import analyze
from clarify_ops.analysis.results import Analysis
from clarify_ops.errors import BadDocument, BadModel, ClarifyOpsError, NotSupported
from clarify_ops.explain import streaming
from clarify_ops.explain.kernel import kernel_shap

from .jobs import configuration, people, score

FEATURES = ["sex", "city", "school", "income", "debt"]
BASELINE = [["female", "a", 1, 50.0, 3], ["male", "b", 2, 40.0, 1]]
EVERY = 2**5


def fitted(model: Any) -> Any:
    frame = people(300)
    encode = make_column_transformer((OneHotEncoder(), ["sex", "city"]), remainder=StandardScaler())
    return make_pipeline(encode, model).fit(frame[FEATURES], frame["paid"])


def boosted() -> Any:
    import lightgbm

    return fitted(lightgbm.LGBMClassifier(n_estimators=8, num_leaves=6, n_jobs=1, verbose=-1))


def explained(
    model: Any, frame: pd.DataFrame | None = None, own: dict[str, Any] | None = None, **shap: Any
) -> Analysis:
    document = configuration(
        methods={"shap": {"baseline": BASELINE, "num_samples": EVERY, "seed": 1, **shap}}, clarify_ops=own or {}
    )
    return analyze(document, people(60) if frame is None else frame, model=model)


def directly(model: Any, *, use_logit: bool = False) -> Any:
    """All coalitions of the probability, by asking."""
    rows = people(60)[FEATURES]
    baseline = pd.DataFrame(BASELINE, columns=FEATURES)
    return kernel_shap(
        lambda features: model.predict_proba(features)[:, 1],
        rows,
        baseline,
        num_samples=EVERY,
        seed=0,
        use_logit=use_logit,
    )


CASES: dict[str, tuple[Callable[[], Any], bool, str]] = {
    "forest": (lambda: fitted(RandomForestClassifier(10, max_depth=4, random_state=0)), False, "tree_shap"),
    "linear, log-odds": (lambda: fitted(LogisticRegression()), True, "linear_shap"),
    "linear, probability": (lambda: fitted(LogisticRegression()), False, "kernel_shap"),
    "boosted, log-odds": (boosted, True, "tree_shap"),
    "boosted, probability": (boosted, False, "kernel_shap"),
}


@pytest.mark.parametrize("case", CASES)
def test_whatever_stands_in_gives_the_values_of_the_kernel(case: str) -> None:
    make, use_logit, name = CASES[case]
    model = make()
    found, expected = explained(model, use_logit=use_logit), directly(model, use_logit=use_logit)
    facts = found.metrics["explanations"]
    assert facts["explainer"] == name
    assert name in facts["reason"] or "Kernel SHAP is computed as such" in facts["reason"]
    assert found.explanation is not None
    np.testing.assert_allclose(found.explanation.values, expected.values, atol=1e-9)
    kernel = found.to_clarify()["explanations"]["kernel_shap"]["label0"]
    wanted = expected.to_clarify()["label0"]
    assert kernel["expected_value"] == pytest.approx(wanted["expected_value"], abs=1e-9)
    assert list(kernel["global_shap_values"]) == FEATURES
    assert kernel["global_shap_values"] == pytest.approx(wanted["global_shap_values"], abs=1e-9)
    assert facts["background"].endswith("2 rows given in the configuration")
    assert facts["unit"] in {"log-odds" if use_logit else "probability", "as the model gives them"}


@pytest.mark.parametrize("name", ["kernel_shap", "exact", "permutation_shap"])
def test_an_explainer_by_name(name: str) -> None:
    model = fitted(RandomForestClassifier(5, max_depth=3, random_state=0))
    found = explained(model, own={"explainer": name})
    assert found.metrics["explanations"]["explainer"] == name
    assert found.explanation is not None
    np.testing.assert_allclose(found.explanation.values, directly(model).values, atol=1e-9)


@pytest.mark.parametrize("name", ["tree_shap", "linear_shap"])
def test_what_would_be_another_number_takes_no_place(name: str) -> None:
    with pytest.raises(NotSupported, match=f"{name} can"):
        explained(boosted(), own={"explainer": name})


def test_sampling_goes_on_until_errors_are_small() -> None:
    frame = pd.concat([people(30)[FEATURES], people(30, 1)[["income", "debt"]].add_suffix("2")], axis=1)
    frame = pd.concat([frame, people(30, 2)[["income", "debt"]].add_suffix("3")], axis=1).assign(
        paid=people(30)["paid"]
    )

    def model(features: pd.DataFrame) -> Any:
        numbers = features.select_dtypes("number").to_numpy(dtype=float) - 3
        weights = np.random.default_rng(5).normal(size=(numbers.shape[1], 4))
        return np.tanh(numbers @ weights / 20).prod(axis=1)

    shap = {"shap": {"num_samples": 80, "seed": 1, "num_clusters": 1}}
    told: dict[str, Any] = {"methods": shap, "predicted_label": None, "group_variable": None}
    loose = analyze(configuration(**told), frame, model=model).metrics["explanations"]
    bound = loose["largest_standard_error"] / 3
    document = configuration(**told, clarify_ops={"max_standard_error": bound})
    tight = analyze(document, frame, model=model).metrics["explanations"]
    assert tight["largest_standard_error"] <= bound < loose["largest_standard_error"]
    assert tight["coalitions"] > loose["coalitions"]


def test_keys_and_several_outputs_stand_in_the_table(tmp_path: Path) -> None:
    frame = people(30).assign(id=[f"row {one}" for one in range(30)])

    def three(features: pd.DataFrame) -> Any:
        first = score(features)
        return np.column_stack([first / 2, first / 2, 1 - first])

    document = configuration(
        methods={"shap": {"baseline": BASELINE, "seed": 1}, "pdp": {"grid_resolution": 3, "top_k_features": 2}},
        predictor={"label_headers": ["low", "middle", "high"]},
        joinsource_name_or_index="id",
        predicted_label=None,
        excluded_columns=["predicted"],
    )
    analyze(document, frame, model=three, output=tmp_path)
    table = pd.read_csv(tmp_path / "explanations_shap" / "out.csv")
    assert list(table.columns[:4]) == ["id", "sex_low", "sex_middle", "sex_high"]
    assert table["id"].tolist() == frame["id"].tolist()
    clarify = json.loads((tmp_path / "analysis.json").read_text())["explanations"]
    assert list(clarify["kernel_shap"]) == ["low", "middle", "high"]
    strongest = sorted(
        FEATURES, key=lambda one: -sum(values["global_shap_values"][one] for values in clarify["kernel_shap"].values())
    )
    assert [one["feature_name"] for one in clarify["pdp"]] == strongest[:2]
    assert clarify["pdp"][0]["label_headers"] == ["low", "middle", "high"]


@pytest.mark.parametrize("aggregation", ["mean_abs", "median", "mean_sq"])
def test_files_hold_what_the_kernel_gives_for_all_rows(
    aggregation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BATCH_ROWS", 17)
    # A name that a CSV file has to quote.
    frame = people(60).rename(columns={"income": 'income, "net"'})
    names = ["sex", "city", "school", 'income, "net"', "debt"]
    wanted = ["sex", 'income, "net"', "debt"]

    def model(features: pd.DataFrame) -> Any:
        return score(features.rename(columns={'income, "net"': "income"}))

    shap = {"baseline": BASELINE, "num_samples": EVERY, "seed": 1, "agg_method": aggregation}
    document = configuration(methods={"shap": {**shap, "features_to_explain": wanted}})
    found = analyze(document, frame, model=model, output=tmp_path)
    expected = kernel_shap(
        model,
        frame[names],
        pd.DataFrame(BASELINE, columns=names),
        num_samples=EVERY,
        seed=1,
        features_to_explain=wanted,
    )
    path = tmp_path / "explanations_shap" / "out.csv"
    table = pd.read_csv(path)
    np.testing.assert_allclose(table.to_numpy(), expected.values[:, :, 0], atol=1e-12)
    assert found.explanation is not None
    assert path.read_text() == found.explanation.to_frame().to_csv(index=False)
    assert found.baseline is not None
    assert found.baseline.astype(object).to_numpy().tolist() == BASELINE
    kernel = json.loads((tmp_path / "analysis.json").read_text())["explanations"]["kernel_shap"]["label0"]
    direct = expected.to_clarify(aggregation)["label0"]
    assert list(kernel["global_shap_values"]) == wanted
    assert kernel["global_shap_values"] == pytest.approx(direct["global_shap_values"], abs=1e-12)
    assert kernel["expected_value"] == pytest.approx(direct["expected_value"], abs=1e-12)


def test_values_that_nobody_wants_are_not_written(tmp_path: Path) -> None:
    document = configuration(methods={"shap": {"baseline": BASELINE, "save_local_shap_values": False}})
    found = analyze(document, people(30), model=score, output=tmp_path)
    assert sorted(path.name for path in (tmp_path / "explanations_shap").iterdir()) == ["about.json", "baseline.csv"]
    about = json.loads((tmp_path / "explanations_shap" / "about.json").read_text())
    assert about == found.metrics["explanations"]
    assert found.explanation is not None


def test_a_baseline_in_a_file_and_one_made_of_the_data(tmp_path: Path) -> None:
    pd.DataFrame(BASELINE).to_csv(tmp_path / "baseline.csv", index=False, header=False)
    given, read = explained(score), explained(score, baseline=str(tmp_path / "baseline.csv"))
    assert given.explanation is not None
    assert read.explanation is not None
    np.testing.assert_array_equal(read.explanation.values, given.explanation.values)
    assert "baseline.csv (sha256:" in read.metrics["explanations"]["background"]
    document = configuration(methods={"shap": {"num_clusters": 4, "seed": 1}})
    made = analyze(document, people(200), model=score)
    assert made.baseline is not None
    assert len(made.baseline) == 4
    assert set(made.baseline["sex"]) <= {"female", "male"}
    assert "k-prototypes" in made.metrics["explanations"]["background"]


def test_more_clusters_than_rows_are_said_to_be_fewer() -> None:
    document = configuration(methods={"shap": {"num_clusters": 31, "num_samples": EVERY, "seed": 1}})
    found = analyze(document, people(30), model=score)
    assert found.baseline is not None
    assert len(found.baseline) == 30
    assert "31 are configured" in found.metrics["explanations"]["background"]
    assert any("the baseline has as many, and not 31" in note for note in found.findings.notes)


WRONG: dict[str, tuple[Any, dict[str, Any], type[ClarifyOpsError], str]] = {
    "other columns": (score, {"baseline": [[1, 2]]}, BadDocument, "Row 1 of the baseline has 2 values"),
    "no file": (score, {"baseline": "nowhere.csv"}, ClarifyOpsError, "nowhere.csv"),
    "NaN": (lambda rows: np.full(len(rows), np.nan), {}, BadModel, "missing or infinite"),
    "text": (lambda rows: ["yes"] * len(rows), {}, BadModel, "no score|not numbers"),
    "too few": (lambda rows: np.zeros(max(0, len(rows) - 1)), {}, BadModel, "answers .* rows for"),
    "cubes": (lambda rows: np.zeros((len(rows), 2, 2)), {}, BadModel, "3 dimensions"),
    "no probability": (lambda rows: np.full(len(rows), 7.0), {"use_logit": True}, BadModel, "use_logit needs"),
    "no clusters": (score, {"baseline": None, "num_clusters": 0}, BadDocument, "num_clusters is 0"),
    "no rows": (score, {"baseline": []}, ClarifyOpsError, "baseline"),
    "text for a number": (score, {"baseline": [["male", "a", 1, "much", 3]]}, ClarifyOpsError, "much"),
    "unknown feature": (score, {"features_to_explain": ["incme"]}, ClarifyOpsError, "incme"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_sentence_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    model, shap, kind, words = WRONG[case]
    told = {"baseline": BASELINE, **shap}
    settings = {key: value for key, value in told.items() if value is not None}
    document = configuration(methods={"shap": settings})
    with pytest.raises(kind, match=words) as caught:
        analyze(document, people(30), model=model, output=tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_what_is_odd_has_a_right_answer() -> None:
    constant = explained(lambda rows: np.full(len(rows), 0.25))
    assert constant.explanation is not None
    assert not constant.explanation.values.any()
    shares = {one.metric: one for one in constant.measures}
    assert shares["facet_attribution_share"].value is None
    assert shares["facet_attribution_share"].reason
    few = explained(score, num_samples=1)
    assert few.explanation is not None
    assert few.explanation.additivity_gap() < 1e-12
    assert few.metrics["explanations"]["warnings"]
    single = analyze(
        configuration(methods={"shap": {"baseline": [[1.0]]}}, facet=None, group_variable=None, predicted_label=None),
        people(20)[["income", "paid"]],
        model=lambda rows: rows["income"].to_numpy() * 2,
    )
    assert single.explanation is not None
    np.testing.assert_allclose(single.explanation.values[:, 0, 0], people(20)["income"] * 2 - 2)


def test_more_than_a_thousand_features() -> None:
    random = np.random.default_rng(0)
    wide = pd.DataFrame(random.normal(size=(3, 1100)), columns=[f"x{one}" for one in range(1100)]).assign(
        paid=[0, 1, 0]
    )
    document = configuration(
        methods={"shap": {"num_samples": 3000, "seed": 1, "num_clusters": 1}},
        facet=None,
        group_variable=None,
        predicted_label=None,
    )
    found = analyze(document, wide, model=lambda rows: rows.to_numpy()[:, :3].sum(axis=1))
    assert found.explanation is not None
    assert found.explanation.additivity_gap() < 1e-9


def test_the_quality_of_explanations_is_measured() -> None:
    own = {
        "stability": {"seeds": 2, "baselines": 2, "rows": 20},
        "surrogate": {"kind": "decision_tree"},
        "accumulated_effects": {"features": ["income"]},
        "individual_curves": {"features": ["debt"]},
        "feature_importance": {"repeats": 2},
    }
    # A copy of the facet stands in for it.
    frame = people(200).assign(title=lambda one: one["sex"].map({"female": "Ms", "male": "Mr"}))

    def model(features: pd.DataFrame) -> Any:
        return score(features) * 0.5 + 0.4 * (features["title"] == "Ms") + 0.1 * (features["sex"] == "male")

    document = configuration(methods={"shap": {"num_clusters": 2, "seed": 1, "num_samples": 64}}, clarify_ops=own)
    found = analyze(document, frame, model=model)
    values = {(one.metric, one.facet): one.value for one in found.measures if one.stage == "explanations"}
    share, proxies = values["facet_attribution_share", "sex"], values["proxy_attribution_share", "sex"]
    assert share is not None
    assert proxies is not None
    assert 0 < share < proxies < 1
    assert {"seed_rank_stability", "baseline_top_overlap", "surrogate_r2", "relative_additivity_gap"} <= {
        metric for metric, _ in values
    }
    metrics = found.metrics
    assert {one["feature_name"] for one in metrics["accumulated_effects"]} == {"income"}
    assert {one["feature_name"] for one in metrics["individual_curves"]} == {"debt"}
    assert metrics["surrogate"]["rules"]
    assert metrics["feature_importance"]
    assert metrics["stability"]["seed"]["explanations"] == 2


def test_cohorts_need_attributions() -> None:
    document = configuration(clarify_ops={"cohorts": [{"name": "all", "where": "debt > 0"}]})
    with pytest.raises(BadDocument, match=r"clarify_ops\.cohorts is about attributions"):
        analyze(document, people(40), model=score)


def _cohort(**told: Any) -> dict[str, Any]:
    return {"clarify_ops": {"cohorts": [{"name": "one", **told}]}}


NO_LABEL: dict[str, Any] = {"label": None, "label_values_or_threshold": None}
LATE: dict[str, tuple[dict[str, Any], str]] = {
    "filter": (_cohort(where="incme > 3"), r"cohorts\[0\]\.where: there is no column 'incme'"),
    "kinds": (_cohort(where="sex > 3"), r"cohorts\[0\]\.where"),
    "facet": (_cohort(facet={"name_or_index": "sx", "value_or_threshold": ["male"]}), r"cohorts\[0\]\.facet"),
    "errors": ({**_cohort(error="wrong"), **NO_LABEL}, "needs the observed label"),
    "importance": ({"clarify_ops": {"feature_importance": {}}, **NO_LABEL}, "needs the observed label"),
    "effects": ({"clarify_ops": {"accumulated_effects": {"features": ["incme"]}}}, "incme"),
    "curves": ({"clarify_ops": {"individual_curves": {"features": [9]}}}, "names feature 9"),
    "dependence": ({"pdp": {"features": ["incme"], "grid_resolution": 3}}, "incme"),
}


@pytest.mark.parametrize("case", LATE)
def test_what_comes_last_is_checked_before_anything_is_explained(case: str) -> None:
    changes, words = LATE[case]
    told = {key: value for key, value in changes.items() if key != "pdp"}
    pdp = {"pdp": changes["pdp"]} if "pdp" in changes else {}
    asked: list[int] = []

    def model(features: pd.DataFrame) -> Any:
        asked.append(len(features))
        return score(features)

    document = configuration(
        methods={"shap": {"baseline": BASELINE}, **pdp}, predicted_label=None, facet=None, group_variable=None, **told
    )
    frame = people(40)[FEATURES] if "label" in told else people(40)[[*FEATURES, "paid"]]
    with pytest.raises(ClarifyOpsError, match=words):
        analyze(document, frame, model=model)
    assert asked == []


def test_cohorts_are_compared_and_small_ones_masked() -> None:
    cohorts = [
        {"name": "women", "facet": {"name_or_index": "sex", "value_or_threshold": ["female"]}},
        {"name": "refused", "error": "false_negatives"},
        {"name": "few", "where": "debt == 8 and school == 3 and sex == 'male'"},
    ]
    found = explained(score, people(150), own={"cohorts": cohorts}).metrics["cohorts"]
    women, _, few = found["cohorts"]
    assert women["rows"] == int((people(150)["sex"] == "female").sum())
    assert (few["rows"], few["global_values"]) == (None, None)
    assert found["comparisons"][0]["differences"][0]["size"].keys() >= {"value", "low", "high", "distinct"}
