"""The step table: the command line, the orchestrators' bindings and the documentation are made from it or held to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PortKind = Literal["file", "folder", "uri", "text", "flag"]


@dataclass(frozen=True)
class Port:
    """An input or a parameter of a step.

    Attributes:
        name: With underscores; the command line has dashes.
        kind: A path of a file or a folder, a URI, text, or a switch.
        description: For the people who fill it in.
        required: Whether it must be given.
        made_by: The step whose output folder it is, if it is one.
    """

    name: str
    kind: PortKind
    description: str
    required: bool = True
    made_by: str | None = None

    @property
    def option(self) -> str:
        """As the command line spells it.

        >>> Port("registry_uri", "uri", "").option
        '--registry-uri'
        """
        return f"--{self.name.replace('_', '-')}"


@dataclass(frozen=True)
class Output:
    """A file or folder that a step leaves in its output folder."""

    path: str
    description: str
    always: bool = True


@dataclass(frozen=True)
class Step:
    """A component.

    Attributes:
        name: As on the command line.
        folder: Name of its folder in a run.
        title: In a few words; `description`: in a sentence.
        inputs: What it reads.
        parameters: What it can be told besides.
        outputs: What it writes, all in one folder.
        pure: Whether the same inputs give the same outputs at any time, so that an orchestrator may keep and reuse them. A
            verdict depends on the day, a registration and a publication are acts.
    """

    name: str
    folder: str
    title: str
    description: str
    inputs: tuple[Port, ...]
    parameters: tuple[Port, ...]
    outputs: tuple[Output, ...]
    pure: bool = False


_PIPELINE = Port("pipeline", "file", "The pipeline document (pipeline.yaml).")
_DATA = Port("data", "uri", "URI of the dataset, in place of the pipeline's.", required=False)
_POLICY = Port("policy", "file", "A policy, in place of the pipeline's.", required=False)
_CHAMPION = Port(
    "champion",
    "text",
    "What the candidate is compared with, in place of the registry's champion: a model or predictions.",
    required=False,
)
_REGISTRY = Port(
    "registry_uri",
    "uri",
    "The registry, in place of the pipeline's: an MLflow tracking URI, or S3.",
    required=False,
)
_KEPT = Output("champion", "The champion's predictions of the judged rows, where they were compared.", always=False)
_TRAINING = Port("training", "folder", "Output folder of the train step.", made_by="train")
_PARTS = (
    Port("pretraining_bias", "folder", "Output folder of the pretraining-bias step.", made_by="pretraining-bias"),
    _TRAINING,
    Port("posttraining_bias", "folder", "Output folder of the posttraining-bias step.", made_by="posttraining-bias"),
    Port("explanations", "folder", "Output folder of the explain step.", made_by="explain"),
)
_STEP = Output("step.json", "Claims of the step, their digest, and when and where it ran.")
_METRICS = Output("metrics.json", "Measures with value or reason, denominators and interval, and facts for the report.")
_ANALYSIS = Output("analysis.json", "The same, as SageMaker Clarify writes it.")
_JUDGED = (
    Output("verdict.json", "The gate's answer, rule by rule."),
    Output("evidence.json", "Claims that bind data, model, configuration, policy and verdict, under one digest."),
    Output("statement.json", "The evidence with the digest of every file it is about: an in-toto statement."),
    Output("statement.dsse.json", "The same, signed: a DSSE envelope.", always=False),
)
_PAPERS = (
    Output("report.html", "The report, for a browser, self-contained."),
    Output("model_card.md", "The model card for people and model hubs."),
    Output("model_card.json", "The model card of a SageMaker model package."),
    Output("sagemaker_model_card.json", "The content of a SageMaker model card that stands alone."),
    Output("bom.cdx.json", "The model, its data, files and packages, and what is claimed: CycloneDX 1.7."),
    Output("clauses.json", "Which clauses of laws and standards the evidence supports, and what is not there."),
    Output("clauses.md", "The same for people."),
    Output("pipeline.json", "The pipeline as it was understood."),
)

STEPS: tuple[Step, ...] = (
    Step(
        "pretraining-bias",
        "pretraining_bias",
        "Pretraining bias check",
        "Measures bias in the labels, counts every group, and looks for columns that give label or facet away.",
        (_PIPELINE, _DATA),
        (_POLICY,),
        (_STEP, _METRICS, _ANALYSIS),
        pure=True,
    ),
    Step(
        "train",
        "training",
        "Train",
        "Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle.",
        (
            _PIPELINE,
            _DATA,
            Port(
                "model",
                "folder",
                "A model that was trained elsewhere, in place of fitting one: an MLflow model.",
                required=False,
            ),
        ),
        (_POLICY,),
        (
            _STEP,
            _METRICS,
            Output("model", "An MLflow model with signature and input example."),
            Output("predictions.parquet", "Row, fold, label, score and predicted label of every judged row."),
        ),
        pure=True,
    ),
    Step(
        "posttraining-bias",
        "posttraining_bias",
        "Posttraining bias check",
        "Measures bias of the predictions, and their quality for everybody and for each facet value.",
        (_PIPELINE, _DATA, _TRAINING),
        (_POLICY,),
        (_STEP, _METRICS, _ANALYSIS),
        pure=True,
    ),
    Step(
        "explain",
        "explanations",
        "Explain",
        "Attributes every score to features with Kernel SHAP, and shows what each feature does on average.",
        (_PIPELINE, _DATA, _TRAINING),
        (_POLICY,),
        (
            _STEP,
            _METRICS,
            _ANALYSIS,
            Output("explanations.json", "How the attributions were made, and the partial dependence."),
            Output("explanations_shap/out.csv", "One attribution a row and feature.", always=False),
            Output("explanations_shap/baseline.csv", "The rows that stand for an absent feature.", always=False),
        ),
        pure=True,
    ),
    Step(
        "gate",
        "gate",
        "Gate",
        "Checks that the evidence belongs together, measures again, and judges by the policy; registers nothing.",
        (_PIPELINE, _DATA, *_PARTS),
        (
            _POLICY,
            _CHAMPION,
            _REGISTRY,
            Port(
                "no_fail",
                "flag",
                "Exit with 0 whatever the verdict, for an orchestrator that branches on it.",
                required=False,
            ),
        ),
        (_STEP, _METRICS, _ANALYSIS, *_JUDGED, _KEPT, *_PAPERS),
    ),
    Step(
        "register",
        "release",
        "Model-card register",
        "Judges again, writes verdict, evidence, report and model card, and registers a model that passes.",
        (_PIPELINE, _DATA, *_PARTS),
        (
            _POLICY,
            _CHAMPION,
            _REGISTRY,
            Port("verdict", "file", "A verdict computed before; it must equal the one computed here.", required=False),
            Port("evidence", "file", "Evidence made before; it must equal the one made here.", required=False),
        ),
        (
            _STEP,
            _METRICS,
            _ANALYSIS,
            *_JUDGED,
            _KEPT,
            *_PAPERS,
            Output("plots", "The report's plots as PNG."),
            Output("registration.json", "Registry, model, version, alias and tags.", always=False),
        ),
    ),
    Step(
        "publish",
        "published",
        "Publish",
        "Puts report, card and verdict where people look, and says how the run ended, however it ended.",
        (
            Port(
                "release",
                "folder",
                "Output folder of the gate or the register step; where there is none, a page says how far the run came.",
                required=False,
            ),
        ),
        (
            Port("to", "uri", "Folder or prefix that the run has for itself, and that people can read."),
            Port("state", "text", "How the run ended, in the orchestrator's words.", required=False),
            Port("message", "text", "Why it ended so.", required=False),
        ),
        (
            _STEP,
            Output("index.html", "The report, or a page that says how far the run came."),
            Output("run.json", "How the run ended, and what was published."),
            Output("model_card.md", "The model card.", always=False),
            Output("verdict.json", "The gate's answer, rule by rule.", always=False),
        ),
    ),
    Step(
        "audit",
        "audit",
        "Audit",
        "Lists versions and aliases of a registry without valid evidence, and fails when there are any.",
        (),
        (
            Port("pipeline", "file", "A pipeline document, whose registry is meant.", required=False),
            Port(
                "registry_uri",
                "uri",
                "The registry, in place of the pipeline's; without a pipeline an MLflow tracking URI, or S3.",
                required=False,
            ),
            Port("model", "text", "The registered model; all models by default.", required=False),
            Port(
                "demote",
                "flag",
                "Take the aliases from versions without valid evidence; remove no version.",
                required=False,
            ),
        ),
        (
            Output("step.json", "Digest of the audit, and when and where it was made."),
            Output("audit.json", "What was looked at, and what is wrong with what."),
        ),
    ),
)

BY_NAME = {step.name: step for step in STEPS}
COMPONENTS: tuple[str, ...] = ("pretraining-bias", "train", "posttraining-bias", "explain", "register")
