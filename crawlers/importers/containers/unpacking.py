"""The text of a file, unpacked and decoded."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import IO, Any

from backports.zstd import DecompressionParameter, ZstdFile

from citystudy.errors import InputError
from crawlers.importers.containers.rows import BROKEN

HEAD_LETTERS = 64 * 1024
WINDOW_LOG_MAX = 31  # 2**31 bytes: the archives of Reddit are packed with so long a window

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = b"PK\x03\x04"


def text_of(path: Path, raw: IO[bytes], start: bytes) -> IO[str]:
    """Return a file's text, from its bytes and the first four of them; invalid UTF-8 becomes letters no text holds."""
    if start == _ZIP:
        raise InputError(f"{path}: is a ZIP archive or spreadsheet; unpack it, or save the sheet as CSV UTF-8")
    data: Any = raw
    packing = ""
    if start.startswith(_GZIP):
        data, packing = gzip.GzipFile(fileobj=raw), "gzip"
    elif start == _ZSTD or _is_skippable(start):
        data = ZstdFile(raw, options={DecompressionParameter.window_log_max: WINDOW_LOG_MAX})
        packing = "zstd"
    try:
        encoding = _encoding(data.read(4))
    except BROKEN:
        raise InputError(f"{path}: is a broken {packing} file; make a fresh copy of it") from None
    data.seek(0)
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    return io.TextIOWrapper(data, encoding=encoding, errors=errors, newline="")


def head_of(file: IO[str]) -> str:
    """Return how a text begins, white space before it left out; the file is back at its beginning."""
    pieces: list[str] = []
    letters = 0
    try:
        while letters < HEAD_LETTERS and (piece := file.readline(HEAD_LETTERS)):
            if pieces or piece.strip():
                pieces.append(piece)
                letters += len(piece)
    except BROKEN:
        pass
    file.seek(0)
    return "".join(pieces).lstrip()


def _is_skippable(start: bytes) -> bool:
    """Tell whether a zstd file begins with a skippable frame (RFC 8878, 3.1.2)."""
    return len(start) == len(_ZSTD) and 0x50 <= start[0] <= 0x5F and start[1:] == b"\x2a\x4d\x18"  # noqa: PLR2004


def _encoding(start: bytes) -> str:
    """Return the encoding that a file's first four bytes tell, with or without a byte-order mark."""
    if start[:4] in {b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"}:
        return "utf-32"
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if len(start) > 1 and (start[0] == 0) != (start[1] == 0):
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return "utf-8-sig"
