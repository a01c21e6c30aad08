"""Audit: what lies in a registry without evidence that holds. Registries cannot veto, so somebody has to look."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from clarify_ops.registry.history import DROPPED
from clarify_ops.registry.promotion import verified, versions_of
from clarify_ops.registry.protocol import RegisteredVersion, Registry


@dataclass(frozen=True)
class Finding:
    """A version that should not be trusted.

    Attributes:
        model, version: Which.
        aliases: What it is called.
        problems: What is wrong, in words.
        demoted: The aliases that were taken from it.
    """

    model: str
    version: str
    aliases: tuple[str, ...]
    problems: tuple[str, ...]
    demoted: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Audit:
    """What was looked at and what was found.

    Attributes:
        registry: Its address, without secrets.
        on: Date of the look.
        models: Number of versions looked at, by model.
        findings: By model and version.
    """

    registry: str
    on: str
    models: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def exit_status(self) -> int:
        """0, or 3 where something was found, demoted or not."""
        return 3 if self.findings else 0

    @property
    def summary(self) -> str:
        """One sentence."""
        return (
            f"{len(self.findings)} of {sum(self.models.values())} versions in {self.registry} without valid evidence"
            f" (models: {len(self.models)})."
        )

    def lines(self) -> list[str]:
        """One a version that was found, and one for what was taken from it."""
        lines = []
        for one in self.findings:
            aliases = f" ({', '.join(one.aliases)})" if one.aliases else ""
            lines.append(f"{one.model} {one.version}{aliases}: {'; '.join(one.problems)}.")
            if one.demoted:
                lines.append(f"  taken from it: {', '.join(one.demoted)}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """The document of `audit.json`."""
        return {
            "version": "1",
            "registry": self.registry,
            "on": self.on,
            "models": dict(self.models),
            "findings": [one.to_json() for one in self.findings],
        }


def audit(
    registry: Registry,
    model: str | None = None,
    *,
    today: datetime.date,
    address: str = "",
    demote: bool = False,
    by: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Looks at every version of one model, or of all.

    Args:
        registry: Where to look.
        model: Name of a registered model; None for all.
        today: Waivers that ended before count for nothing.
        address: Of the registry, as it is to be shown.
        demote: Take the aliases from what is found. Versions are never removed.
        by: Who asks for that; kept with the reason.
        progress: Told what is being looked at.

    Raises:
        BadInput: There is no such model.
        Outside: The registry failed.
    """
    counts: dict[str, int] = {}
    findings = []
    for version in registry.versions() if model is None else versions_of(registry, model):
        progress(f"{version.model} {version.version}")
        counts[version.model] = counts.get(version.model, 0) + 1
        found = tuple(verified(registry, version, today))
        if found:
            findings.append(Finding(version.model, version.version, version.aliases, found))
            if demote:
                findings[-1] = _demoted(registry, version, findings[-1], by)
    return Audit(address, today.isoformat(), counts, tuple(findings))


def _demoted(registry: Registry, version: RegisteredVersion, finding: Finding, by: str) -> Finding:
    for alias in finding.aliases:
        version = registry.drop_alias(version, alias, f"{DROPPED} by {by} in an audit: {finding.problems[0]}")
    return replace(finding, demoted=finding.aliases)
