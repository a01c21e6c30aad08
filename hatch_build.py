"""Build hook: the folders beside the library become parts of it, clarify_ops.components and its neighbours.

A wheel gets copies of them. An editable install gets git-ignored links inside clarify_ops/, which the interpreter and
the type checkers follow like ordinary folders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("components", "pipelines", "dags")


class FoldersIntoPackage(BuildHookInterface):
    """Maps each of FOLDERS to clarify_ops/<folder>."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before a wheel is made; `version` is "standard" or "editable"."""
        for folder in FOLDERS:
            if version != "editable":
                build_data["force_include"][str(Path(self.root, folder))] = f"clarify_ops/{folder}"
                continue
            link = Path(self.root, "clarify_ops", folder)
            # Relative, so that a checkout can be moved; a link that points nowhere is replaced.
            if link.is_symlink():
                link.unlink()
            link.symlink_to(Path("..", folder), target_is_directory=True)
