"""`analyze`: what a SageMaker Clarify processing job does, here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.beyond import basic_stats, further_sections, performance
from clarify_ops.analysis.counting import Data, Rows, read_rows
from clarify_ops.analysis.dataset import data_facts
from clarify_ops.analysis.documents import merged_analysis
from clarify_ops.analysis.explained import Places, explained
from clarify_ops.analysis.folder import ANALYSIS, CONFIGURATION, METRICS, PARTS, SHAP, analysis_output
from clarify_ops.analysis.job import STAGES, Job
from clarify_ops.analysis.notes import metric_notes
from clarify_ops.analysis.opening import Given, asked_model, handed_over
from clarify_ops.analysis.results import Analysis
from clarify_ops.bias.clarify import SECTIONS
from clarify_ops.bias.report import BiasReport, FlipIntervals, Flips, bias_report, flip_intervals_of, flips_of
from clarify_ops.bias.table import BiasStage
from clarify_ops.documents import write_bytes, write_json, write_text
from clarify_ops.report.findings import Findings

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """Tells nobody."""


def analyze(
    config: str | Path | Mapping[str, Any],
    data: Data = None,
    model: Given = None,
    output: str | Path | None = None,
    progress: Progress = _silent,
    *,
    trust_model: bool = False,
) -> Analysis:
    """Measures bias and explains a model, as an analysis configuration says.

    Args:
        config: SageMaker Clarify's configuration (schema 1.0), as a document or the path of one.
        data: Path, folder, glob or URI of the dataset, or a DataFrame; by default the configuration's `dataset_uri`.
        model: An MLflow model (folder or URI), the address of an endpoint ("http://..."), or a function from (rows, features)
            to scores or labels; for explanations, and for bias where the data hold no predictions. By default the model that
            the configuration's `predictor` names: `endpoint_name`, or a temporary endpoint of `model_name`.
        output: Folder to write: analysis.json, metrics.json, report.html, report.ipynb, report.pdf, explanations_shap/ and
            a copy of the configuration. Without it nothing is written.
        progress: Told what is being done.
        trust_model: Open a model whose files run code when they are read, as a pickle does.

    Raises:
        BadInput: One sentence about what is wrong; nothing final is written then.
        NotSupported: A key is valid in Clarify and not followed here.
        BadModel: The model cannot be read, or answers what cannot be used.
        Outside: An endpoint or a store cannot be reached.
    """
    job = Job.of(config, model=handed_over(model))
    if output is None:
        with asked_model(model, job.config, trust=trust_model, progress=progress) as asked:
            return _analysed(job, data, asked, progress, Places())
    with (
        analysis_output(Path(output), job.report_name) as folder,
        asked_model(model, job.config, trust=trust_model, progress=progress) as asked,
    ):
        places = _places(folder, job)
        analysis = _analysed(job, data, asked, progress, places)
        progress("writing the report")
        _write(folder, job, analysis)
    return replace(analysis, folder=Path(output))


def _places(folder: Path, job: Job) -> Places:
    shap = job.config.methods.shap
    if shap is None:
        return Places()
    (folder / SHAP).mkdir()
    return Places(folder / PARTS, folder / SHAP / "out.csv" if shap.save_local_shap_values else None)


def _analysed(job: Job, data: Data, asked: AskedModel | None, progress: Progress, places: Places) -> Analysis:
    rows = read_rows(job, data, asked, progress)
    tally = rows.tally
    flips = _flips(job, rows, progress)
    reports = _bias(job, rows, flips, progress)
    told = explained(job, rows.batches, asked, progress, places)
    clarify = merged_analysis(
        [{SECTIONS[stage]: report.clarify} for stage, report in reports.items()]
        + ([{"explanations": told.document}] if job.explains else [])
    )
    stages = tuple(reports)
    if tally is not None:
        progress("looking for the groups behind the metrics")
    findings = Findings(
        title=job.report_title,
        measures=(*(one for report in reports.values() for one in report.measures), *told.measures),
        data=data_facts(rows),
        kinds={} if tally is None else tally.kinds,
        clarify=clarify,
        configuration=job.document,
        explanations=told.facts,
        performance=performance(tally) if tally is not None and tally.table.predicted else None,
        stats={} if tally is None else basic_stats(tally, stages),
        further={**({} if tally is None else further_sections(job, rows, tally, stages)), **told.sections},
        smallest_group=job.config.clarify_ops.smallest_group,
        notes=(*job.notes, *rows.data.notes, *_sampled(flips), *told.notes),
    )
    keys = None if rows.data.join is None or not rows.whole else rows.data.frame[rows.data.join]
    return Analysis(findings, told.explanation, told.baseline, keys)


def _flips(job: Job, rows: Rows, progress: Progress) -> Flips:
    if rows.coded is None or not job.wants_flips:
        return {}
    return flips_of(rows.coded, rows.neighbourhood, progress=progress)


def _sampled(flips: Flips) -> list[str]:
    return [f"FT for {facet} = {value}: {flip.note}" for (facet, value), flip in flips.items() if flip.note]


def _bias(job: Job, rows: Rows, flips: Flips, progress: Progress) -> dict[BiasStage, BiasReport]:
    if rows.tally is None:
        return {}
    level, seed = job.config.clarify_ops.confidence, job.config.clarify_ops.seed
    intervals: FlipIntervals = {}
    if rows.coded is not None:
        intervals = flip_intervals_of(rows.coded, rows.neighbourhood, flips, level=level, seed=seed, progress=progress)
    return {
        stage: bias_report(
            rows.tally,
            stage,
            job.config,
            level=level,
            seed=seed,
            flips=flips,
            flip_intervals=intervals,
            progress=progress,
        )
        for stage in STAGES
        if job.asks_for(stage)
    }


def _write(folder: Path, job: Job, analysis: Analysis) -> None:
    from clarify_ops.report.findings_page import render_findings
    from clarify_ops.report.notebook import findings_notebook
    from clarify_ops.report.pdf import findings_pdf

    write_json(folder / CONFIGURATION, job.document, sort_keys=False)
    if analysis.baseline is not None:
        analysis.baseline.to_csv(folder / SHAP / "baseline.csv", index=False)
        # The tables beside it are laid out as Clarify's, and have no place for unit, background and explainer.
        write_json(folder / SHAP / "about.json", analysis.findings.further["explanations"])
    about, name = metric_notes(), job.report_name
    write_text(folder / f"{name}.html", render_findings(analysis.findings, about))
    write_text(folder / f"{name}.ipynb", findings_notebook(analysis.findings, about))
    write_bytes(folder / f"{name}.pdf", findings_pdf(analysis.findings, about))
    write_json(folder / METRICS, analysis.metrics)
    write_json(folder / ANALYSIS, analysis.to_clarify(), sort_keys=False)
