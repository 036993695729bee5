"""Tables that people upload, as CSV or XLSX: row by row, in constant memory, nothing evaluated.

Hostile files are expected: another encoding, another separator, formulas, archives that would fill a disk.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_PIECE = 64 * 1024
_HEAD_LINES = 50
_SEPARATORS = (",", ";", "\t", "|")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TableUnreadable(ValueError):
    """The file is no table we can read. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as text. ``number`` is the line or row people see; ``formulas`` are the columns that hold a formula."""

    number: int
    cells: tuple[str, ...]
    formulas: frozenset[int] = frozenset()

    def cell(self, column: int | None) -> str:
        """The text of a column, stripped; "" where the row has none."""
        return self.cells[column].strip() if column is not None and column < len(self.cells) else ""


def read_rows(file: BinaryIO, *, separator: str = "") -> Iterator[Row]:
    """The rows of a CSV or XLSX file that can be rewound, told apart by content. Raises TableUnreadable.

    ``separator`` parts the columns of a CSV file; "" finds it.
    """
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    if head.startswith(b"PK"):
        from majuu_core.common.xlsx import read_xlsx  # most uploads are CSV

        return read_xlsx(file)
    if head == _OLD_EXCEL:
        raise TableUnreadable("This is the old Excel format (XLS). Save the file as XLSX or CSV and upload that.")
    return _read_csv(file, separator)


def find_encoding(file: BinaryIO) -> str:
    """The file's encoding: by its mark, else by its zero bytes, else UTF-8 if all of it is, else cp1252."""
    file.seek(0)
    head = file.read(_PIECE)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\x00" in head[:200]:
        return "utf-16-be" if head[:1] == b"\x00" else "utf-16-le"
    decoder, piece = codecs.getincrementaldecoder("utf-8")(), head
    try:
        while piece:
            decoder.decode(piece)
            piece = file.read(_PIECE)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _read_csv(file: BinaryIO, separator: str) -> Iterator[Row]:
    encoding = find_encoding(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        separator = separator or _find_separator(text)
        text.seek(0)
        reader = csv.reader(text, delimiter=separator)
        for cells in reader:
            yield Row(reader.line_num, tuple(cells))
    except csv.Error as problem:
        raise TableUnreadable(f"The file is not readable as CSV: {problem}.") from problem
    finally:
        text.detach()  # the caller's file stays open


def _find_separator(text: io.TextIOWrapper) -> str:
    """The character that cuts the first lines into the most columns."""
    lines = [text.readline(_PIECE) for _ in range(_HEAD_LINES)]
    return max(_SEPARATORS, key=lambda separator: max((line.count(separator) for line in lines), default=0))
