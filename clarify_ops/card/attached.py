"""What lies beside a card: files with their digests, so that a card can name what it has no room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REPORT, METRICS, VERDICT, EVIDENCE = "report.html", "metrics.json", "verdict.json", "evidence.json"
PIPELINE, SIGNED = "pipeline.json", "statement.dsse.json"
CARD, PACKAGE_CARD, STANDALONE_CARD = "model_card.md", "model_card.json", "sagemaker_model_card.json"
BOM, CLAUSES_MARKDOWN, CLAUSES_JSON = "bom.cdx.json", "clauses.md", "clauses.json"


@dataclass(frozen=True)
class Attached:
    """Files of a release that its cards name.

    Attributes:
        files: `sha256:<hex>` of each file's bytes, by its path in the run ("report.html", "training/metrics.json").
            Evidence is not among them: it holds times, so that its claims are what is named.
        model_files: The same of the model's own files, by their path in the model's folder.
        packages: Versions of the Python packages that were installed, by name.
        code: Version and digest of clarify_ops, as the evidence has them.
        signed: Whether the statement about all these files will be signed: it is made last.
        place: URI under which the files are kept, ending in a slash; empty where they lie beside the card.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    model_files: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    signed: bool = False
    place: str = ""

    def uri(self, name: str) -> str:
        """Where a file is."""
        return f"{self.place}{name}"

    def named(self, name: str) -> str:
        """A file with its digest: `s3://bucket/release/report.html (sha256:9f86...)`, as far as it is known."""
        found = self.files.get(name)
        return self.uri(name) if found is None else f"{self.uri(name)} ({found})"


NOTHING = Attached()
