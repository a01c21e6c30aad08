"""A small decision tree as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def rules(
    fitted: Any, columns: Sequence[str], gaps: Sequence[bool], outputs: Sequence[str], *, smallest: int = 1
) -> str:
    """The rules of a decision tree of scikit-learn, a line a question or answer, indented by depth.

    Args:
        fitted: The tree; `class_names_` names the classes of a classifier.
        columns: (columns,) what each column says; `town = north` asks whether it is so.
        gaps: (columns,) whether its feature had missing values in training.
        outputs: Names of the outputs; the tree is about the first.
        smallest: Leaves of fewer rows keep their answer to themselves. Where there is one alone, the rows of the next smallest
            leaf are not told either, or its own would follow from those of all.
    """
    tree = fitted.tree_
    classes = getattr(fitted, "class_names_", None)
    leaves = sorted(np.flatnonzero(tree.children_left < 0).tolist(), key=lambda node: int(tree.n_node_samples[node]))
    few = [node for node in leaves if tree.n_node_samples[node] < smallest]
    beside = leaves[1] if len(few) == 1 and len(leaves) > 1 else None

    def answer(node: int) -> str:
        if node in few:
            return f"not shown (fewer than {smallest} rows)"
        rows = f"({smallest} or more rows)" if node == beside else f"({tree.n_node_samples[node]:,} rows)"
        if classes is None:
            return f"{outputs[0]}: {tree.value[node][0][0]:.4g} {rows}"
        return f"{classes[int(tree.value[node][0].argmax())]} {rows}"

    def questions(node: int) -> tuple[str, str]:
        name, threshold = columns[tree.feature[node]], tree.threshold[node]
        if " = " in name:
            return name.replace(" = ", " is not ", 1), name.replace(" = ", " is ", 1)
        lower, upper = f"{name} ≤ {threshold:.6g}", f"{name} > {threshold:.6g}"
        if not gaps[tree.feature[node]]:
            return lower, upper
        return (f"{lower} or missing", upper) if tree.missing_go_to_left[node] else (lower, f"{upper} or missing")

    def lines(node: int, depth: int) -> list[str]:
        indent = "  " * depth
        if tree.children_left[node] < 0:
            return [f"{indent}{answer(node)}"]
        left, right = questions(node)
        return [
            f"{indent}{left}:",
            *lines(int(tree.children_left[node]), depth + 1),
            f"{indent}{right}:",
            *lines(int(tree.children_right[node]), depth + 1),
        ]

    return "\n".join(lines(0, 0))
