"""From an address to files: folders, patterns, packages, compressed files, and other stores."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.files import find_files, local_path, read_content
from clarify_ops.data.layout import read_analysis_data
from clarify_ops.documents import digest_bytes
from clarify_ops.errors import BadData, BadInput, ClarifyOpsError, NotSupported, Outside
from tests.servers import moto_server

CSV = b"age,sex\n30,f\n41,m\n"
MORE = b"age,sex\n25,f\n"
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "a.csv": bytes,
    "a.csv.gz": lambda content: gzip.compress(content, mtime=0),
    "a.csv.GZ": lambda content: gzip.compress(content, mtime=0),
    "a.csv.bz2": bz2.compress,
    "a.csv.xz": lzma.compress,
    "a.csv.zst": lambda content: bytes(pa.compress(content, codec="zstd", asbytes=True)),
}


def config(**keys: object) -> AnalysisConfig:
    return AnalysisConfig.parse({"dataset_type": "text/csv", "methods": {}, **keys}, "The configuration")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Data as a writer of many parts leaves them."""
    data = tmp_path / "data"
    for name, content in {
        "part-00001.csv": MORE,
        "part-00000.csv.gz": gzip.compress(CSV, mtime=0),
        "part-00002.csv": b"",
        "inner/part-0.csv": CSV,
        "_SUCCESS": b"",
        "_committed_12": b"{}",
        ".part-00001.csv.crc": b"crc",
        "part-00001.csv.crc": b"crc",
        "list.manifest": b"[]",
        ".hidden/a.csv": b"x\n1\n",
        "_temporary/0/a.csv": b"x\n1\n",
    }.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    return data


def names(uri: str) -> list[str]:
    return [Path(file.address).name for file in find_files(uri).files]


def test_a_folder_is_walked_in_order_and_what_is_no_data_is_counted(folder: Path) -> None:
    found = find_files(str(folder))
    assert [Path(file.address).relative_to(folder).as_posix() for file in found.files] == [
        "inner/part-0.csv",
        "part-00000.csv.gz",
        "part-00001.csv",
    ]
    assert found.notes == (f"Passed over in {folder}: 1 empty, 1 hidden, 4 markers, checksums or manifests.",)
    data = read_analysis_data(config(), folder)
    assert data.frame["age"].tolist() == [30, 41, 30, 41, 25]
    assert [file.rows for file in data.files] == [2, 2, 1]
    assert data.notes[0].startswith("Passed over in")


def test_patterns(folder: Path) -> None:
    assert names(f"{folder}/part-*") == ["part-00000.csv.gz", "part-00001.csv"]
    assert names(f"{folder}/**/*.csv") == ["part-0.csv", "part-00001.csv"]
    assert names(f"{folder}/part-0000[1-9].csv") == ["part-00001.csv"]
    assert names(f"{folder.parent}/da?a/inner") == ["part-0.csv"]
    assert names(f"file://{folder}/part-00001.csv") == ["part-00001.csv"]
    with pytest.raises(BadData, match=r"pattern .*\*\.parquet matches no file"):
        find_files(f"{folder}/*.parquet")


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_bytes(CSV)
    assert names(str(tmp_path / "a[1].csv")) == ["a[1].csv"]


def test_a_file_uri_may_be_encoded(tmp_path: Path) -> None:
    file = tmp_path / "my loans.csv"
    file.write_bytes(CSV)
    assert local_path(file.as_uri()) == file
    assert names(file.as_uri()) == ["my loans.csv"]


def test_a_folder_that_links_to_itself_ends(folder: Path) -> None:
    (folder / "inner" / "again").symlink_to(folder)
    (folder / "link.csv").symlink_to(folder / "part-00001.csv")
    assert names(str(folder)).count("link.csv") == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "folder .* holds no file"),
        ({"_SUCCESS": b"", ".a.csv": b"x"}, "holds only 1 hidden, 1 markers, checksums or manifests"),
    ],
)
def test_a_folder_without_data(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadData, match=words):
        find_files(str(tmp_path))


def test_an_empty_parquet_among_others_is_broken_not_empty(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "1.parquet")
    (tmp_path / "2.parquet").write_bytes(b"")
    with pytest.raises(BadData, match=r"2\.parquet is empty"):
        read_analysis_data(config(dataset_type="application/x-parquet"), tmp_path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device here")
def test_a_device_is_not_read() -> None:
    with pytest.raises(BadData, match="/dev/zero is a device"):
        read_analysis_data(config(), "/dev/zero")


def test_progress_is_told_file_by_file(folder: Path) -> None:
    said: list[str] = []
    read_analysis_data(config(), folder, said.append)
    assert said[0] == f"reading {folder}/inner/part-0.csv (1 of 3)"
    assert said[-1] == "parsing 3 CSV files"


def test_folders_that_say_a_value_are_noted(tmp_path: Path) -> None:
    for sex in "fm":
        (tmp_path / f"sex={sex}").mkdir()
        (tmp_path / f"sex={sex}" / "part.csv").write_bytes(b"age\n1\n")
    assert "such as sex=f are read as folders" in find_files(str(tmp_path)).notes[0]


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_files_here_and_elsewhere(tmp_path: Path, name: str) -> None:
    import fsspec

    content = COMPRESSED[name](CSV)
    (tmp_path / name).write_bytes(content)
    with fsspec.open(f"memory://store/{name}", "wb") as stream:
        stream.write(content)
    for uri in (str(tmp_path / name), f"memory://store/{name}"):
        (file,) = find_files(uri).files
        assert read_content(file).data == CSV
        assert read_content(file).digest == digest_bytes(content)


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_file_without_a_byte(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadData, match="is empty"):
        read_analysis_data(config(), tmp_path / name)


def test_a_compression_that_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv.zip").write_bytes(b"PK")
    with pytest.raises(NotSupported, match=r"suffix \.zip, which is not read. Compressed files: \.gz"):
        read_analysis_data(config(), tmp_path / "a.csv.zip")


def test_folders_and_patterns_of_another_store() -> None:
    import fsspec

    for name, content in {"a.csv": CSV, "in/b.csv": MORE, "_SUCCESS": b"", ".c.csv": b"x"}.items():
        with fsspec.open(f"memory://many/{name}", "wb") as stream:
            stream.write(content)
    found = find_files("memory://many")
    assert [file.address for file in found.files] == ["memory:///many/a.csv", "memory:///many/in/b.csv"]
    assert found.notes == ("Passed over in memory://many: 1 hidden, 1 markers, checksums or manifests.",)
    assert read_analysis_data(config(), "memory://many/**/*.csv").frame["age"].tolist() == [30, 41, 25]
    assert names("memory://many/*.csv") == [".c.csv", "a.csv"] or names("memory://many/*.csv") == ["a.csv"]


def test_files_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "loans_of_a_test" / "data"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").touch()
    (inner / "a.csv").write_bytes(CSV)
    (inner / "b.csv").write_bytes(MORE)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = read_analysis_data(config(), "package://loans_of_a_test/data")
    assert [file.address for file in found.files] == [
        "package://loans_of_a_test/data/a.csv",
        "package://loans_of_a_test/data/b.csv",
    ]
    assert len(read_analysis_data(config(), "package://loans_of_a_test/data/a*").frame) == 2
    assert len(read_analysis_data(config(), "package://loans_of_a_test/data/b.csv").frame) == 1


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("nosuch://x/a.csv", "Protocol not known: nosuch"),
        ("memory://nothing/a.csv", "There is nothing at memory://nothing/a.csv"),
        ("memory://nothing/*.csv", "pattern memory://nothing/.* matches no file"),
        ("package://no_such_package/a.csv", "not installed"),
        ("/no/such/folder/a.csv", "The folder /no/such/folder does not exist"),
        ("a\0b.csv", "cannot be"),
    ],
)
def test_an_address_that_leads_nowhere(uri: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_analysis_data(config(), uri)


def test_a_web_address(tmp_path: Path) -> None:
    """A server that runs, one path that it has, one that it has not, and then none at all."""
    import functools
    import http.server
    import threading

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
            pass

    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV, mtime=0))
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = f"127.0.0.1:{server.server_port}"
        try:
            found = read_analysis_data(config(), f"http://me:secret@{host}/a.csv.gz?signature=verysecret")
            assert found.files[0].address == f"http://{host}/a.csv.gz"
            assert len(found.frame) == 2
            with pytest.raises(BadData, match="There is nothing at"):
                read_analysis_data(config(), f"http://{host}/b.csv")
        finally:
            server.shutdown()
            thread.join()
    with pytest.raises(Outside, match="does not answer") as caught:
        read_analysis_data(config(), f"http://me:secret@{host}/a.csv?signature=verysecret")
    assert "secret" not in str(caught.value)


# ------------------------------------------------------------------ S3, against a server on this machine


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 server of this test's own, with a bucket `loans` in it."""
    pytest.importorskip("s3fs")
    import boto3

    with moto_server(tmp_path_factory.mktemp("s3")) as address:
        client = boto3.client("s3", endpoint_url=address)
        client.create_bucket(Bucket="loans")
        for key, content in {
            "data/part-0.csv": CSV,
            "data/in/part-1.csv.gz": gzip.compress(MORE, mtime=0),
            "data/": b"",
            "data/_SUCCESS": b"",
            "data/x.manifest": b"[]",
            "marker/": b"",
            "odd name+1.csv": CSV,
        }.items():
            client.put_object(Bucket="loans", Key=key, Body=content)
        client.close()
        yield address


@pytest.fixture
def at_s3(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-this-test")
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize(
    ("uri", "rows", "files"),
    [
        ("s3://loans/data/part-0.csv", 2, 1),
        ("s3://loans/data", 3, 2),
        ("s3://loans/data/", 3, 2),
        ("s3://loans/data/*.csv", 2, 1),
        ("s3://loans/data/**/*.csv*", 3, 2),
        ("s3://loans/odd name+1.csv", 2, 1),
    ],
)
def test_s3(at_s3: None, uri: str, rows: int, files: int) -> None:
    found = read_analysis_data(config(), uri)
    assert (len(found.frame), len(found.files)) == (rows, files)
    assert all(file.address.startswith("s3://loans/") for file in found.files)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://loans/data/no.csv", "There is nothing at s3://loans/data/no.csv"),
        ("s3://no-such-bucket/a.csv", "There is nothing at s3://no-such-bucket/a.csv"),
        ("s3://loans/marker/", "folder s3://loans/marker/ holds no file|There is nothing at s3://loans/marker/"),
        ("s3://", "s3"),
    ],
)
def test_nothing_in_s3(at_s3: None, uri: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_analysis_data(config(), uri)


def test_an_s3_server_that_does_not_answer_is_outside_and_no_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs = pytest.importorskip("s3fs")
    secret = "a-secret-of-this-test"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(ClarifyOpsError) as caught:
        read_analysis_data(config(), f"s3://user:{secret}@loans/a.csv")
    assert caught.value.exit_status == Outside.exit_status
    assert secret not in str(caught.value)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == secret
