"""What is kept of compiled functions is what their sources say, whichever of them has changed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

import clarify_ops

PACKAGE = Path(clarify_ops.__file__).parent
USERS = sorted(
    path for path in PACKAGE.glob("*/**/*.py") if "from clarify_ops.compiled import" in path.read_text(encoding="utf-8")
)
INNER = "from clarify_ops.compiled import inner\n\n\n@inner\ndef more(x):\n    return x + 1\n"
OUTER = "from clarify_ops.compiled import compiled\nfrom two_files.one import more\n\n\n@compiled\ndef outer(x):\n    return more(x)\n"


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.stem)
def test_compiled_functions_call_those_of_their_own_folder(path: Path) -> None:
    name = ".".join(["clarify_ops", *path.relative_to(PACKAGE).with_suffix("").parts])
    called: list[Any] = [
        one for one in vars(importlib.import_module(name)).values() if isinstance(one, numba.core.dispatcher.Dispatcher)
    ]
    assert called
    assert {Path(one.py_func.__code__.co_filename).parent for one in called} == {path.parent}


def test_a_change_in_another_file_of_the_folder_is_compiled_again(tmp_path: Path) -> None:
    package, cache = tmp_path / "two_files", tmp_path / "cache"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "two.py").write_text(OUTER, encoding="utf-8")
    asked = "from two_files.two import outer; print(outer(1), sum(outer.stats.cache_hits.values()))"
    found = []
    for source in (INNER, INNER, INNER.replace("+ 1", "+ 3")):
        (package / "one.py").write_text(source, encoding="utf-8")
        # Numba looks at time and size of the file of the function that is called, which stay as they were.
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": f"{tmp_path}:{PACKAGE.parent}"}
        done = subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, check=True, env=environment
        )
        found.append(done.stdout.split())
    assert found == [["2", "0"], ["2", "1"], ["4", "0"]]
