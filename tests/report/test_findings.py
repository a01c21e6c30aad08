"""The report of an analysis in its three forms: all that was found, nothing that must not be shown, the same each time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from clarify_ops import analyze
from clarify_ops.analysis.notes import metric_notes
from clarify_ops.documents import write_json
from clarify_ops.gate.published import number
from clarify_ops.report.findings import Findings
from clarify_ops.report.findings_page import render_findings
from clarify_ops.report.notebook import findings_notebook
from clarify_ops.report.pdf import findings_pdf
from tests.report.found import EVIL, evil, found
from tests.report.test_page import Reader

NOTES = metric_notes()


def read_notebook(text: str, *, as_version: int) -> Any:
    return nbformat.reads(text, as_version=as_version)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def page() -> str:
    return render_findings(found(), NOTES)


def test_the_page_is_well_formed_fetches_nothing_and_its_contents_lead_somewhere(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    assert reader.headings.count(1) == 1
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert not reader.tags & {"script", "iframe", "object", "form"}
    for address in reader.addresses:
        assert not address.startswith("#") or f'id="{address[1:]}"' in page


def test_every_measure_stands_there_with_its_value_or_its_reason(page: str) -> None:
    text = Reader(page).text
    for one in found().measures:
        assert one.metric in text
        if one.facet_value == "tiny":
            continue
        assert (f"undefined : {one.reason}" if one.value is None else number(one.value)) in text
        if one.metric in NOTES:
            assert NOTES[one.metric].reading in text


def test_a_small_group_is_named_and_never_shown(page: str) -> None:
    text = Reader(page).text
    assert "city = tiny too small: fewer than 10" in text
    assert text.count("too small: ") == 1
    assert "10 or more" in text
    small = [one for one in found().measures if one.facet_value == "tiny"]
    assert len(small) > 10
    told = text[text.index("city = tiny", text.index("After training")) :]
    assert told.count("not published: a group has fewer than 10 rows") >= len(small)
    assert "city tiny JS too small" in text


def test_every_kind_is_listed_with_its_warning(page: str) -> None:
    text = Reader(page).text
    for name, note in found().kinds.items():
        assert f"{name} {note.text}" in text
        assert note.warning in text


def test_performance_and_label_shares_are_shown(page: str) -> None:
    text = Reader(page).text
    report = found().performance
    assert report is not None
    for one in report["model_performance_metrics"]:
        assert f"{one['name']} {one['description']} {number(float(one['value']))}" in text
    share = found().stats["post_training"]["sex"]["female"]["observed_label_distribution"][0]
    assert f"{share:.1%}" in text


@pytest.mark.parametrize("make", [render_findings, findings_notebook, findings_pdf])
@pytest.mark.parametrize("of", [found, evil])
def test_the_same_findings_give_the_same_bytes(make: Callable[..., Any], of: Callable[[], Findings]) -> None:
    assert make(of(), NOTES) == make(of(), NOTES)


def test_names_from_the_data_are_text_wherever_they_stand() -> None:
    page = render_findings(evil(), NOTES)
    reader = Reader(page)
    assert "script" not in reader.tags
    assert "<script" not in page
    assert page.count('id="bias-') == 101
    notebook = read_notebook(findings_notebook(evil(), NOTES), as_version=4)
    shown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    shown += [output.data["text/html"] for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not any("<script" in text for text in shown)


def test_the_notebook_is_valid_and_its_cells_run_beside_the_files(tmp_path: Path) -> None:
    findings = found()
    notebook = read_notebook(findings_notebook(findings, NOTES), as_version=4)
    nbformat.validate(notebook)
    write_json(tmp_path / "analysis.json", findings.clarify, sort_keys=False)
    write_json(tmp_path / "metrics.json", findings.to_json())
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    known: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        for cell in code:
            *_, last = cell.source.splitlines()
            exec(cell.source, known)  # noqa: S102 - that the cells run is what is tested
            for output in cell.outputs:
                if last.isidentifier():
                    assert known[last].to_string() == output["data"]["text/plain"]
    assert len(known["measures"]) == len(findings.measures)
    small = known["measures"][known["measures"]["facet value"] == "tiny"]
    assert set(small["value"]) == {"too small"}
    assert small["low"].isna().all()
    beside = known["measures"][(known["measures"]["facet"] == "city") & (known["measures"]["metric"] == "CI")]
    assert set(beside["value"]) == {"too small"}


def test_the_pdf_has_pages_a_title_and_no_date() -> None:
    content = findings_pdf(found(), NOTES)
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") > 3
    assert found().title.encode() in content or b"/Title" in content
    # The date of invariant documents is fixed.
    assert b"D:20000101" in content


def test_findings_with_hardly_anything_in_them_are_still_reports() -> None:
    whole = found()
    nothing = Findings("Nothing", (), whole.data, {}, {}, {})
    assert "Nothing" in Reader(render_findings(nothing)).text
    assert findings_pdf(nothing).startswith(b"%PDF")
    nbformat.validate(read_notebook(findings_notebook(nothing), as_version=4))
    assert json.loads(json.dumps(nothing.to_json()))["measures"] == []


def test_what_clarify_published_of_real_data_stands_in_all_three(shared: Path) -> None:
    folder = shared / "data" / "clarify_linear_learner_adult"
    document = {
        "dataset_type": "text/csv",
        "label": "Target",
        "predicted_label": "predicted_label",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
        "excluded_columns": ["score"],
        "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": ["DPPL", "AD", "DI"]}},
    }
    findings = analyze(document, folder / "validation_with_predictions.csv").findings
    published = json.loads((folder / "analysis_bias.json").read_text(encoding="utf-8"))
    (entry,) = published["post_training_bias_metrics"]["facets"]["Sex"]
    (shown,) = [number(one["value"]) for one in entry["metrics"] if one["name"] == "AD"]
    assert shown in Reader(render_findings(findings, NOTES)).text
    notebook = read_notebook(findings_notebook(findings, NOTES), as_version=4)
    printed = [output.data["text/plain"] for cell in notebook.cells for output in cell.get("outputs", ())]
    value = next(one["value"] for one in entry["metrics"] if one["name"] == "AD")
    assert any(f"{value:.6f}" in text for text in printed)
    assert findings_pdf(findings, NOTES).startswith(b"%PDF")


def test_the_bad_names_are_bad() -> None:
    assert len(EVIL) > 250
    assert len(evil().data.facets[EVIL]) == 100


@pytest.mark.parametrize("letters", ["中", "ก", "क", "W", "é ", "🙂"])
@pytest.mark.parametrize("length", [60, 600])
def test_names_of_any_script_and_length_fit_on_paper(letters: str, length: int) -> None:
    from clarify_ops.analysis.analyze import analyze
    from tests.analysis.jobs import configuration, people

    frame = people(200)
    frame["sex"] = frame["sex"].replace("female", letters * length)
    document = configuration(
        facet=[{"name_or_index": "sex"}], methods={"pre_training_bias": {"methods": ["CI", "DPL"]}}
    )
    assert findings_pdf(analyze(document, frame).findings).startswith(b"%PDF")


def test_numbers_of_few_persons_are_not_told() -> None:
    from clarify_ops.analysis.analyze import analyze
    from tests.analysis.jobs import configuration, people

    frame = people(400)
    frame.loc[:2, "sex"] = "x"
    frame.loc[:2, "income"] = 41.17
    document = configuration(
        label="income",
        predicted_label=None,
        label_values_or_threshold=[50.5],
        facet=[{"name_or_index": "sex"}],
        methods={"pre_training_bias": {"methods": "all"}},
    )
    findings = analyze(document, frame).findings
    assert "41.17" in json.dumps(findings.to_json())
    assert "41.17" not in render_findings(findings)
