"""The front matter of the card: YAML that model hubs read, with every result as an entry of `model-index`.

Source: Hugging Face Hub, "Model Cards" (metadata and the model-index specification); `huggingface_hub.ModelCardData` reads it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import yaml

from clarify_ops.card.content import CardContent
from clarify_ops.measures import Measure

TASK = "tabular-classification"
# What hubs call a metric, where that is not what we call it.
_METRIC_IDS = {"auc": "roc_auc"}
# Licences that hubs know by these ids, the common ones; every other text is "other", with its words beside it.
_LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "openrail"),
        *("gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "eupl-1.2", "epl-2.0"),
        *("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"),
        *("cdla-permissive-2.0", "cdla-sharing-1.0", "odc-by", "odbl", "pddl"),
    }
)


def front_matter(content: CardContent) -> str:
    """The YAML between the two lines of dashes, those included."""
    release = content.release
    results = _results(content)
    head: dict[str, Any] = {
        "model_name": release.model.name,
        "language": list(content.words.language),
        "library_name": release.model.estimator.partition(".")[0],
        **_licence(content.words.licence),
        "pipeline_tag": TASK,
        "tags": list(
            dict.fromkeys(["clarify-ops", f"gate-{release.verdict.outcome.lower()}", "tabular", *content.words.tags])
        ),
        "datasets": [dataset_name(content)],
        "metrics": list(dict.fromkeys(one["type"] for result in results for one in result["metrics"])),
        "model-index": [{"name": release.model.name, "results": results}] if results else None,
    }
    text = yaml.safe_dump(
        {key: value for key, value in head.items() if value}, sort_keys=False, allow_unicode=True, width=10_000
    )
    return f"---\n{text}---"


def dataset_name(content: CardContent) -> str:
    """A name for the dataset: the last part of its address, without endings."""
    name = PurePosixPath(urlsplit(content.dataset).path.replace("\\", "/")).name
    while (short := PurePosixPath(name).stem) != name and short:
        name = short
    return name or "dataset"


def line(text: object) -> str:
    """Text on one line."""
    return " ".join(str(text).split())


def _licence(words: str | None) -> dict[str, str]:
    if words is None:
        return {}
    known = words.strip().casefold()
    return {"license": known} if known in _LICENCES else {"license": "other", "license_name": line(words)}


def _results(content: CardContent) -> list[dict[str, Any]]:
    """One result a subject; a hub that draws these takes the first of a name, so that no two share a subject."""
    name = dataset_name(content)
    digest = content.release.digests.get("data")
    found = []
    for section in content.sections("quality", "post_training"):
        subject = line(section.subject)
        found.append(
            {
                "task": {"type": TASK, "name": line(content.words.problem_type or "Tabular classification")},
                "dataset": {
                    "name": f"{name}, {subject}",
                    "type": name,
                    "config": f"{section.stage}: {subject}",
                    "split": content.release.model.evaluation,
                    **({} if digest is None else {"revision": digest.removeprefix("sha256:")}),
                },
                "metrics": [_metric(content, one) for one in section.measures],
            }
        )
    return found


def _metric(content: CardContent, one: Measure) -> dict[str, Any]:
    shown = one.value is not None and not content.mask.hides(one) and one.value not in {float("inf"), float("-inf")}
    said = [content.interval(one), content.rows(one)]
    if divided := content.divided(one):
        said.append(f"divided by {divided}")
    beside = "; ".join(part for part in said if part)
    return {
        "type": _METRIC_IDS.get(one.metric, re.sub(r"[^a-z0-9]+", "_", one.metric.casefold())),
        "name": line(f"{one.metric} ({beside})" if beside else one.metric),
        "value": one.value if shown else line(content.value(one)),
    }
