"""Uploaded tables: what is read, and what is refused before it does harm."""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.tables import Row, TableUnreadable, find_encoding, read_rows
from majuu_core.common.xlsx import write_xlsx

SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"


def rows(data: bytes) -> list[Row]:
    return list(read_rows(io.BytesIO(data)))


def book(parts: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made.getvalue()


def sheet(body: str) -> str:
    return f'<worksheet xmlns="x"><sheetData>{body}</sheetData></worksheet>'


def test_shared_texts_numbers_gaps_and_prefixes_are_read() -> None:
    parts = {
        TEXTS: "<sst><si><t>One</t></si><si><r><t>T</t></r><r><t>wo</t></r><rPh><t>aloud</t></rPh></si></sst>",
        SHEET: '<x:worksheet xmlns:x="y"><x:row r="3"><x:c r="B3" t="s"><x:v>1</x:v></x:c>'
        '<x:c r="D3"><x:v>1.50</x:v></x:c></x:row><x:row><x:c t="s"><x:v>0</x:v></x:c></x:row></x:worksheet>',
    }
    assert rows(book(parts)) == [Row(3, ("", "Two", "", "1.50")), Row(4, ("One",))]


def test_a_formula_stays_the_text_of_the_formula() -> None:
    found = rows(book({SHEET: sheet('<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><v>3</v></c></row>')}))
    assert found == [Row(1, ("=1+1", "3"), frozenset({0}))]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"xl/workbook.xml": "<x/>"}, "has no sheet"),
        ({SHEET: "<worksheet><row>"}, "damaged"),
        ({SHEET: sheet('<row><c t="s"><v>7</v></c></row>')}, "not there"),
        ({SHEET: sheet('<row><c t="s"><v>-1</v></c></row>')}, "not there"),
        ({SHEET: sheet(f'<row><c t="s"><v>{"1" * 5000}</v></c></row>'), TEXTS: "<sst/>"}, "not there"),
        ({SHEET: '<?xml version="1.0" encoding="foo"?><worksheet/>'}, "unknown encoding"),
        ({SHEET: '<?xml version="1.0" encoding="shift_jis"?><worksheet/>'}, "multi-byte"),
        ({SHEET: f'<worksheet a="{"x" * 3_000_000}"/>'}, "never ends"),
        ({SHEET: '<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'}, "document type"),
        ({SHEET: sheet(""), TEXTS: '<!DOCTYPE x [<!ENTITY a "b">]><sst/>'}, "document type"),
    ],
)
def test_damaged_and_dangerous_books_are_refused(parts: dict[str, str], message: str) -> None:
    with pytest.raises(TableUnreadable, match=message):
        rows(book(parts))


def test_a_book_that_grows_without_end_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("majuu_core.common.xlsx._LARGEST_PART", 10_000)
    with pytest.raises(TableUnreadable, match="larger than"):
        rows(book({SHEET: sheet(" " * 20_000)}))


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_book_packed_in_another_way_is_refused(packing: int) -> None:
    """given a part whose unpacker may ask for gigabytes / when read / then it is not even begun."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as archive:
        archive.writestr(SHEET, sheet("<row><c><v>1</v></c></row>"))
    with pytest.raises(TableUnreadable, match="no spreadsheet program uses"):
        rows(made.getvalue())


@pytest.mark.parametrize(
    "parts",
    [
        {SHEET: sheet(f"<row><c><v>{'7' * 20_000_000}</v></c></row>")},
        {SHEET: sheet(f"<row><c><f>{'7' * 20_000_000}</f></c></row>")},
        {SHEET: sheet('<row><c t="s"><v>0</v></c></row>'), TEXTS: f"<sst><si><t>{'7' * 20_000_000}</t></si></sst>"},
    ],
    ids=["value", "formula", "text"],
)
def test_a_cell_without_end_is_cut_while_it_is_read(parts: dict[str, str]) -> None:
    """given a small file with one huge cell / when read / then memory does not grow with the cell."""
    data = book(parts)
    tracemalloc.start()
    try:
        (row,) = rows(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(row.cells[0]), peak < 3_000_000) == (32_767, True)


@pytest.mark.parametrize(("flips", "seed"), [(1, 1985), (2, 5), (3, 33), (4, 59), (5, 82)])
def test_a_book_with_changed_bytes_is_read_or_refused(flips: int, seed: int) -> None:
    """given a good file with some bytes changed, 400 times / when read / then nothing but a refusal is raised."""
    good = bytearray(b"".join(write_xlsx([("a", 1, "b" * 50)] * 20)))
    chosen = random.Random(seed)
    for _ in range(400):
        changed = bytearray(good)
        for _ in range(flips):
            changed[chosen.randrange(len(changed))] = chosen.randrange(256)
        with suppress(TableUnreadable):
            rows(bytes(changed))


def test_a_torn_book_is_refused() -> None:
    whole = book({SHEET: sheet("<row><c><v>1</v></c></row>" * 500)})
    middle = whole.index(SHEET.encode()) + len(SHEET) + 5
    spoilt = whole[:middle] + b"\xff" * 20 + whole[middle + 20 :]
    for data in (spoilt, whole[: len(whole) // 2], whole[:40], b"PK" + b"\xff" * 100):
        with pytest.raises(TableUnreadable):
            rows(data)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for body in (data, b"PK\x03\x04" + data):
        with suppress(TableUnreadable):
            rows(body)


@given(st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=4), max_size=5))
def test_what_is_written_is_read_again(table: list[list[str]]) -> None:
    read = rows(b"".join(write_xlsx(table)))
    # a text is never a formula, and what XML cannot hold is left out
    assert len(read) == len(table)
    assert all(not row.formulas for row in read)
    for row, cells in zip(read, table, strict=True):
        for shown, cell in zip(row.cells, cells, strict=True):
            if cell.isalnum():
                assert shown == cell
            assert not shown.lstrip(" ").startswith(("=", "+", "-", "@"))


def test_numbers_are_numbers_in_a_book() -> None:
    data = b"".join(write_xlsx([["a", Decimal("-1.50"), 7, True, None]]))
    assert rows(data) == [Row(1, ("a", "-1.50", "7", "yes", ""))]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<c><v>-1.50</v></c><c><v>7</v></c>" in archive.read(SHEET)


def test_encodings_are_found_without_reading_everything_into_memory() -> None:
    text = "ä" * 100_000
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        assert find_encoding(io.BytesIO(text.encode(encoding))) == encoding
    assert find_encoding(io.BytesIO(text.encode("utf-16"))) == "utf-16"


def test_a_field_without_end_is_refused() -> None:
    with pytest.raises(TableUnreadable, match="field"):
        rows(b'a,b\n"' + b"x" * 200_000)


def test_the_callers_file_stays_open() -> None:
    file = io.BytesIO(b"a,b\n1,2\n")
    assert [row.cells for row in read_rows(file)] == [("a", "b"), ("1", "2")]
    assert not file.closed
