"""The lock holds what is meant: a resolver that is left alone takes old versions without a word."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from packaging.version import Version

Package = dict[str, Any]

BOUNDS = {
    "apache-airflow": "3.3",
    "kfp": "2.17",
    "mlflow": "3.17",
    "pandas": "2.2",
    "s3fs": "2025",
    "sagemaker": "3.27",
    "shap": "0.51",
}


@pytest.fixture(scope="module")
def packages(root: Path) -> list[Package]:
    locked: list[Package] = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))["package"]
    return locked


@pytest.mark.parametrize(("name", "bound"), BOUNDS.items())
def test_versions_are_not_old(packages: list[Package], name: str, bound: str) -> None:
    # One version a fork of the lock: each must do.
    versions = [Version(package["version"]) for package in packages if package["name"] == name]
    assert versions
    assert min(versions) >= Version(bound)


def test_everything_comes_from_one_public_registry(packages: list[Package]) -> None:
    sources = [package["source"] for package in packages if package["name"] != "clarify-ops"]
    assert {tuple(source) for source in sources} == {("registry",)}
    assert_one_public_host({source["registry"] for source in sources})
    files = [file for package in packages for file in [*package.get("wheels", []), package.get("sdist")] if file]
    assert all("path" not in file for file in files)
    assert_one_public_host({file["url"] for file in files})


def test_project_is_locked_where_it_stands(packages: list[Package]) -> None:
    (project,) = (package for package in packages if package["name"] == "clarify-ops")
    assert project["source"] == {"editable": "."}


def assert_one_public_host(urls: set[str]) -> None:
    """Asserts that nobody's mirror, proxy or disk found its way into the lock."""
    assert {urlsplit(url).scheme for url in urls} == {"https"}
    (place,) = {urlsplit(url).netloc for url in urls}
    assert "." in place
    assert not set(place) & set("@:")
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        ipaddress.ip_address(place)
