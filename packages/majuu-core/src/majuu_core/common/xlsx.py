"""XLSX, as much of it as statements and exports need: the first sheet in, one sheet out, both as streams.

A spreadsheet library reads a formula's last value or the formula, builds objects for every cell, and expands what an
archive claims to hold. Here a formula stays the text of the formula, memory does not grow with the rows, and what is
too large is refused before it is read.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, BinaryIO, cast
from xml.parsers import expat
from xml.sax.saxutils import escape

from majuu_core.common.cells import safe_cell
from majuu_core.common.tables import Row, TableUnreadable

# What zipfile and expat raise for hostile bytes: a name that is no text and an offset before the beginning are plain
# ValueErrors there, an encoding that nobody knows is a LookupError.
_DAMAGE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError),
    *(ValueError, LookupError),
)
_PIECE = 64 * 1024
_LARGEST_PART = 1 << 30  # bytes of one part once unpacked
_LONGEST_TOKEN = 1 << 20  # bytes of one tag with its attributes: the parser keeps it whole
_LONGEST_CELL = 32_767  # Excel's own limit
_MOST_COLUMNS = 256
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_xlsx(file: BinaryIO) -> Iterator[Row]:
    """The rows of the first sheet. Raises TableUnreadable."""
    try:
        with zipfile.ZipFile(file) as archive:
            texts = _SharedTexts(archive)
            try:
                with _open(archive, _first_sheet(archive)) as sheet:
                    yield from _SheetReader(texts).read(sheet)
            finally:
                texts.close()
    except TableUnreadable:
        raise
    except expat.ExpatError as problem:
        raise TableUnreadable(f"The XLSX file is damaged: {problem}.") from problem
    except _DAMAGE as problem:
        raise TableUnreadable(f"The file is not a readable XLSX file: {problem}.") from problem


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheets = sorted((name for name in archive.namelist() if _SHEET.fullmatch(name)), key=lambda name: (len(name), name))
    if not sheets:
        raise TableUnreadable("The XLSX file has no sheet.")
    return sheets[0]


def _open(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    part = archive.getinfo(name)
    if part.file_size > _LARGEST_PART:
        raise TableUnreadable("The XLSX file is larger than 1 GB once unpacked. Split it.")
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others may ask for gigabytes
        raise TableUnreadable("The XLSX file is packed in a way that no spreadsheet program uses.")
    return archive.open(part)


def _parse(source: IO[bytes], parser: Any) -> Iterator[None]:
    """Feed the parser piece by piece; yields after each."""

    def refuse(*_: Any) -> None:
        raise TableUnreadable("The XLSX file declares a document type, which no spreadsheet program writes.")

    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    left = _LARGEST_PART
    while piece := source.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise TableUnreadable("The XLSX file is larger than it says.")
        parser.Parse(piece, False)
        if _LARGEST_PART - left - parser.CurrentByteIndex > _LONGEST_TOKEN:
            raise TableUnreadable("The XLSX file holds a tag that never ends.")
        yield
    parser.Parse(b"", True)
    yield


def _plain(name: str) -> str:
    return name.rpartition(":")[2]


class _Text:
    """A text that comes in pieces; what is beyond the longest cell is not kept."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left = _LONGEST_CELL

    def add(self, text: str) -> None:
        if self._left > 0:
            self._parts.append(text[: self._left])
            self._left -= len(text)

    def __str__(self) -> str:
        return "".join(self._parts)


class _SharedTexts:
    """The texts that cells refer to by number, in a temporary file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._file = tempfile.TemporaryFile()
        self._ends = array("Q", [0])
        self._current: _Text | None = None
        self._skipped = 0  # inside a reading aid for pronunciation
        self._in_text = False
        if "xl/sharedStrings.xml" in archive.namelist():
            with _open(archive, "xl/sharedStrings.xml") as source:
                self._read(source)

    def _read(self, source: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        for _ in _parse(source, parser):
            pass

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match _plain(name):
            case "si":
                self._current = _Text()
            case "rPh":
                self._skipped += 1
            case "t":
                self._in_text = not self._skipped

    def _end(self, name: str) -> None:
        match _plain(name):
            case "si":
                text = str(self._current or "").encode("utf-8", "replace")
                self._file.write(text)
                self._ends.append(self._ends[-1] + len(text))
                self._current = None
            case "rPh":
                self._skipped -= 1
            case "t":
                self._in_text = False

    def _text(self, text: str) -> None:
        if self._in_text and self._current is not None:
            self._current.add(text)

    def get(self, number: str) -> str:
        """The text with this number. Raises TableUnreadable."""
        if not number.isdecimal() or len(number) > 9 or int(number) + 1 >= len(self._ends):
            raise TableUnreadable("The XLSX file is damaged: a cell refers to a text that is not there.")
        start, end = self._ends[int(number)], self._ends[int(number) + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()

    def close(self) -> None:
        self._file.close()


class _SheetReader:
    """Turns a sheet's elements into rows."""

    def __init__(self, texts: _SharedTexts) -> None:
        self._texts = texts
        self._rows: list[Row] = []
        self._number = 0
        self._cells: dict[int, str] = {}
        self._formulas: set[int] = set()
        self._column = -1
        self._type = ""
        self._element = ""
        self._value = _Text()
        self._formula: _Text | None = None

    def read(self, source: IO[bytes]) -> Iterator[Row]:
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        for _ in _parse(source, parser):
            yield from self._rows
            self._rows = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._element = _plain(name)
        if self._element == "row":
            given = attributes.get("r", "")
            self._number = int(given) if given.isdecimal() and len(given) < 8 else self._number + 1
            self._cells, self._formulas, self._column = {}, set(), -1
        elif self._element == "c":
            self._column = _column_of(attributes.get("r", ""), self._column + 1)
            self._type, self._value, self._formula = attributes.get("t", "n"), _Text(), None
        elif self._element == "f":
            self._formula = _Text()

    def _text(self, text: str) -> None:
        if self._element in ("v", "t"):
            self._value.add(text)
        elif self._element == "f" and self._formula is not None:
            self._formula.add(text)

    def _end(self, name: str) -> None:
        self._element = ""
        if _plain(name) == "c" and 0 <= self._column < _MOST_COLUMNS:
            self._cells[self._column] = self._cell()
        elif _plain(name) == "row" and self._cells:
            width = max(self._cells) + 1
            cells = tuple(self._cells.get(column, "") for column in range(width))
            self._rows.append(Row(self._number, cells, frozenset(self._formulas)))

    def _cell(self) -> str:
        if self._formula is not None:
            self._formulas.add(self._column)
            return f"={self._formula}"[:_LONGEST_CELL]
        value = str(self._value)
        return self._texts.get(value.strip()) if self._type == "s" else value


def _column_of(reference: str, following: int) -> int:
    """The number of the column, from 0, that a cell such as "AB12" stands in."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return following
    number = 0
    for letter in match[1]:
        number = number * 26 + ord(letter) - 64
    return number - 1


_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Majuu" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_xlsx(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The rows as one sheet, piece by piece. Numbers are numbers; every text is safe and none is a formula."""
    out = _Pieces()
    with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, _HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            opening = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            sheet.write((_HEAD + opening).encode())
            for row in rows:
                sheet.write(f"<row>{''.join(map(_written, row))}</row>".encode())
                yield out.take()
            sheet.write(b"</sheetData></worksheet>")
    yield out.take()


def _written(value: object) -> str:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return f"<c><v>{safe_cell(value)}</v></c>"
    text = escape(_UNWRITABLE.sub("", safe_cell(value))[:_LONGEST_CELL])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


class _Pieces:
    """A file that only grows, for zipfile: what was written is taken away."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._kept.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        taken, self._kept = b"".join(self._kept), []
        return taken
