"""Writes every component.yaml, here or into a folder: python -m clarify_ops.components.kubeflow.compiled [FOLDER]."""

import sys
from pathlib import Path

from clarify_ops.components.kubeflow.compiled import FOLDER, write

if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
