"""On which line of a document something stands, for whoever points at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from clarify_ops.documents import read_document

Key = str | int


@dataclass(frozen=True)
class Lines:
    """Lines by the path of keys and places in lists.

    Attributes:
        by_path: From 1; `()` is the document itself.
    """

    by_path: Mapping[tuple[Key, ...], int]

    @classmethod
    def read(cls, text: str) -> Lines:
        """Of YAML or JSON that can be parsed; a document that cannot has no lines but its first."""
        try:
            node = yaml.compose(text, yaml.SafeLoader)
        except yaml.YAMLError:
            node = None
        return cls({} if node is None else dict(_walk(node, (), ())))

    def of(self, *path: Key) -> int:
        """The line of a key, or of the nearest thing around it that has one."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.by_path:
                return self.by_path[path[:length]]
        return 1


@dataclass(frozen=True)
class PolicySource:
    """Where a policy was written.

    Attributes:
        file: The policy, or the pipeline that holds it.
        rules: Line of each rule by its id.
        first: Line where the policy begins.
    """

    file: Path
    rules: Mapping[str, int]
    first: int = 1

    def line(self, rule: str) -> int:
        """The line of a rule; of the policy where the rule is not found."""
        return self.rules.get(rule, self.first)

    @classmethod
    def of(cls, pipeline: str | Path | None, policy: str | Path | None = None) -> PolicySource:
        """Finds the policy: the one in the pipeline's place, the file that the pipeline names, or the part that it holds.

        Raises:
            BadDocument: A file is missing or is malformed.
            ValueError: Neither is given.
        """
        if policy is not None:
            return cls.read(Path(policy))
        if pipeline is None:
            raise ValueError("neither a pipeline nor a policy is given")
        file = Path(pipeline)
        document = read_document(file, "pipeline")
        named = document.get("policy") if isinstance(document, dict) else None
        return cls.read(file.parent / named) if isinstance(named, str) else cls.read(file, "policy")

    @classmethod
    def read(cls, file: Path, *within: str) -> PolicySource:
        """Reads the rules' lines.

        Args:
            file: The document.
            within: Keys under which the policy stands in it.
        """
        document = read_document(file, "policy")
        lines = Lines.read(file.read_text(encoding="utf-8"))
        for key in within:
            document = document.get(key) if isinstance(document, dict) else None
        rules = document.get("rules") if isinstance(document, dict) else None
        found = {
            rule["id"]: lines.of(*within, "rules", place)
            for place, rule in enumerate(rules if isinstance(rules, list) else ())
            if isinstance(rule, dict) and isinstance(rule.get("id"), str)
        }
        return cls(file, found, lines.of(*within))


def _walk(node: yaml.Node, path: tuple[Key, ...], above: tuple[int, ...]) -> Iterator[tuple[tuple[Key, ...], int]]:
    if id(node) in above:
        # An anchor within itself; the reader of the document refuses it.
        return
    around = (*above, id(node))
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _walk(item, (*path, place), around)
    elif isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield from _walk(item, (*path, key.value), around)
                yield (*path, key.value), key.start_mark.line + 1
