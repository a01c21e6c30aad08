"""A document in pieces of text, for places that hold no long text: the arguments of a processing job have 256 characters each."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from clarify_ops.documents import parse_document
from clarify_ops.errors import BadDocument

_LARGEST = 64 * 2**20


def to_pieces(document: Mapping[str, Any], *, length: int, most: int) -> list[str] | None:
    """JSON in pieces, readable where that fits and compressed where not; None where nothing fits.

    Args:
        document: JSON types.
        length: Most characters of a piece.
        most: Most pieces.
    """
    # Compose files, which SageMaker's local mode makes of arguments, read $ as the beginning of a variable's name. Within
    # JSON it stands in strings only.
    plain = json.dumps(document, separators=(",", ":"), allow_nan=False).replace("$", "\\u0024")
    packed = base64.b64encode(zlib.compress(plain.encode(), 9)).decode()
    for text in (plain, packed):
        pieces = [text[start : start + length] for start in range(0, len(text), length)]
        if len(pieces) <= most:
            return pieces
    return None


def from_pieces(pieces: Sequence[str], what: str) -> Any:
    """The inverse of `to_pieces`; `what` opens the sentence of an error.

    >>> from_pieces(to_pieces({"label": "paid"}, length=5, most=9), "The configuration")
    {'label': 'paid'}

    Raises:
        BadDocument: They are neither JSON nor compressed JSON.
    """
    text = "".join(pieces)
    if not text.lstrip().startswith("{"):
        try:
            stream = zlib.decompressobj()
            content = stream.decompress(base64.b64decode(text, validate=True), _LARGEST)
            if not stream.eof:
                raise BadDocument(f"{what} is cut short, or unpacks to more than {_LARGEST >> 20} MiB.")
            text = content.decode()
        except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
            raise BadDocument(
                f"{what} is neither JSON nor compressed JSON.", "Give all of its pieces, in order."
            ) from error
    return parse_document(text, what, as_json=True)
