"""The provider package, as Airflow finds and shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from clarify_ops.components.airflow import provider
from clarify_ops.components.airflow.places import EXTRA

# Airflow finds entry points once a process, and warns where a module is asked for that a task would ask for.
PROGRAM = """
import json, warnings
from airflow.providers_manager import ProvidersManager
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime
found = ProvidersManager()
hook = ProvidersManagerTaskRuntime().hooks["clarify_ops_registry"]
form = {name: one.is_sensitive for name, one in found.connection_form_widgets.items() if "clarify_ops" in name}
links = [name for name in found.extra_links_class_names if name.startswith("clarify_ops.")]
print(json.dumps({
    "version": found.providers["clarify-ops"].version,
    "hook": [hook.hook_class_name, hook.connection_id_attribute_name, hook.connection_testable],
    "form": form,
    "relabeling": found.field_behaviours["clarify_ops_registry"]["relabeling"],
    "links": sorted(links),
}))
"""


@pytest.fixture(scope="module")
def known(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of the entry point of this checkout, whenever that was installed."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = tmp_path_factory.mktemp("site")
    folder = place / "clarify_ops-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
    group = "apache_airflow_provider"
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in project["entry-points"][group].items())]
    (folder / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{root}", "AIRFLOW_HOME": str(place / "home")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_airflow_finds_the_provider(known: dict[str, Any]) -> None:
    assert known["version"] == "0.1.0"


def test_airflow_knows_the_connection_and_its_form(known: dict[str, Any]) -> None:
    assert known["hook"] == ["clarify_ops.components.airflow.hook.RegistryHook", "registry_conn_id", True]
    assert known["relabeling"]["host"] == "Registry URI"
    prefix = "extra__clarify_ops_registry__"
    assert set(known["form"]) == {prefix + name for name in EXTRA}
    secret = {name.removeprefix(prefix) for name, hidden in known["form"].items() if hidden}
    assert secret == {"token", "aws_secret_access_key", "aws_session_token"}


def test_airflow_imports_every_link(known: dict[str, Any]) -> None:
    names = ("ModelCardLink", "RegisteredVersionLink", "ReportLink")
    assert known["links"] == [f"clarify_ops.components.airflow.links.{name}" for name in names]


@pytest.mark.parametrize("schema", ["provider_info.schema.json", "provider.yaml.schema.json"])
def test_the_document_is_valid(schema: str) -> None:
    """Against the schema that Airflow holds it to, and what the stricter one of its own providers says of connections."""
    rules = json.loads(files("airflow").joinpath(schema).read_text(encoding="utf-8"))
    info = provider.get_provider_info()
    if schema.startswith("provider.yaml"):
        names = ("connection-types", "extra-links", "hooks", "operators", "sensors", "triggers", "asset-uris")
        rules = {**rules, "properties": {name: rules["properties"][name] for name in names}, "required": list(names)}
        info = {name: info[name] for name in names}
    jsonschema.validate(info, rules)
