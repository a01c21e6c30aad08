"""Where a previous baseline is found: a file that is named, or the latest approved version of a model package group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clarify_ops.analysis.documents import merged_analysis
from clarify_ops.data.files import address, read_file
from clarify_ops.documents import digest_bytes, json_text, parse_document
from clarify_ops.errors import BadDocument, BadInput, Refused

if TYPE_CHECKING:
    from clarify_ops.registry.sagemaker_calls import Clients


@dataclass(frozen=True)
class Baseline:
    """An `analysis.json` of before.

    Attributes:
        address: Where it was found, without secrets.
        content: Its bytes.
        document: What they say.
        version: Name of the version that it is registered with, if it is.
    """

    address: str
    content: bytes
    document: Mapping[str, Any]
    version: str | None = None

    @classmethod
    def of(cls, where: str, content: bytes, version: str | None = None) -> Baseline:
        """Reads a document.

        Raises:
            BadDocument: It is no `analysis.json`.
        """
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise BadDocument(f"The baseline {where} is not UTF-8 text.") from error
        document = parse_document(text, f"The baseline {where}", as_json=True)
        if not isinstance(document, dict):
            raise BadDocument(f"The baseline {where} is no analysis.json.", "Give the analysis.json of a Clarify job.")
        return cls(where, content, document, version)

    def to_json(self) -> dict[str, Any]:
        """Where it was found, and what."""
        return {"address": self.address, "digest": digest_bytes(self.content), "version": self.version}


@dataclass(frozen=True)
class Where:
    """Where to look; a file goes before a group.

    Attributes:
        file: Path or URI of an `analysis.json`, or None.
        group: Name of a model package group, or None.
        clients: What SageMaker is asked through; made of the environment's credentials where it is not given.
    """

    file: str | None = None
    group: str | None = None
    clients: Clients | None = None

    @property
    def absent(self) -> str:
        """Why nothing was found, in words."""
        return f"the model package group {self.group} has no approved version" if self.group else "none is named"

    def find(self, sections: tuple[str, ...]) -> Baseline | None:
        """The previous baseline; None where there is none.

        Args:
            sections: Of `analysis.json`, which an analysis is going to have.

        Raises:
            BadInput: The file is not there, or no `analysis.json`.
            Refused: The approved version has no baseline of such a section, or not what was registered.
            Outside: A registry or store failed.
        """
        if self.file:
            try:
                return Baseline.of(address(self.file), read_file(self.file))
            except BadInput as error:
                raise BadInput(error.message.replace("The data file", "The baseline"), error.hint) from error
        if not self.group:
            return None
        return self._registered(sections, self.group)

    def _registered(self, sections: tuple[str, ...], group: str) -> Baseline | None:
        from clarify_ops.registry.sagemaker_approved import content, latest_approved
        from clarify_ops.registry.sagemaker_calls import Clients

        clients = self.clients or Clients.made(None, None)
        version = latest_approved(clients, group)
        if version is None:
            return None
        parts: dict[str, Baseline] = {}
        for section in sections:
            found = content(clients, version, section)
            if found is None:
                raise Refused(
                    f"The latest approved version of {group}, {version.arn}, has no baseline for {section}.",
                    "Register it with DriftCheckBaselines, or make a new one: --skip-check --register-new-baseline.",
                )
            parts[section] = Baseline.of(*found, version.arn)
        if len({one.address for one in parts.values()}) == 1:
            return next(iter(parts.values()))
        # Each section has a file of its own in a registry; an analysis of several is compared with all of them.
        document = merged_analysis([{name: one.document.get(name, {})} for name, one in parts.items()])
        text = json_text(document, sort_keys=False).encode()
        return Baseline(", ".join(one.address for one in parts.values()), text, document, version.arn)
