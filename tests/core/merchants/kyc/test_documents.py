"""What may be uploaded, what is left of it, where it lies, and who may see it."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from PIL import Image

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.errors import ActionRefused
from majuu_core.merchants.kyc import images, storage
from majuu_core.merchants.kyc.configuration import check_kyc_settings
from majuu_core.merchants.kyc.documents import DocumentUnreadable, add_document, clean, remove_document, view_document
from majuu_core.merchants.models import KycCase, KycDocument
from majuu_core.plugins import hookimpl
from majuu_core.plugins.manager import temporary_plugin
from majuu_core.providers import Violation
from majuu_core.testing.kyc import make_case, small_pdf, small_picture

SECRET = b"GPS 1.2921 S, 36.8219 E"


@pytest.fixture(autouse=True)
def root(tmp_path: Path) -> Any:
    with override_settings(MAJUU_KYC_ROOT=tmp_path / "kyc"):
        yield tmp_path / "kyc"


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def with_places(kind: str) -> bytes:
    """A picture that tells where it was taken, twice, and has something behind its end."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    extra: dict[str, Any] = {"exif": exif}
    if kind == "JPEG":
        extra["comment"] = SECRET
    return small_picture(kind, **extra) + SECRET


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_picture_keeps_its_pixels_and_nothing_else(kind: str, media_type: str) -> None:
    content = with_places(kind)
    assert SECRET in content
    found, cleaned = clean(content)
    assert found == media_type
    assert SECRET not in cleaned
    picture = Image.open(io.BytesIO(cleaned))
    assert (picture.size, picture.format, dict(picture.getexif())) == ((8, 8), kind, {})


def test_a_picture_is_turned_the_right_way_up_before_it_forgets_which_that_is() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    written = io.BytesIO()
    Image.new("RGB", (8, 4)).save(written, "JPEG", exif=exif)
    assert Image.open(io.BytesIO(clean(written.getvalue())[1])).size == (4, 8)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 63)
    with pytest.raises(Invalid) as refusal:
        clean(small_picture())
    assert refusal.value.code == "kyc_picture_too_large"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "kyc_file_empty"),
        (b"<html><script>alert(1)</script></html>", "kyc_file_type"),
        (b"GIF89a" + b"\0" * 40, "kyc_file_type"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "kyc_file_type"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "kyc_picture_unreadable"),
        (b"\xff\xd8\xff" + b"\0" * 40, "kyc_picture_unreadable"),
        (small_picture()[:-30], "kyc_picture_unreadable"),
        (b"%PDF-1.4\nnothing else", "kyc_pdf_broken"),
        (small_pdf()[:-40], "kyc_pdf_broken"),
        (b"x" * (1024 * 1024 + 1), "kyc_file_too_large"),
    ],
)
@override_settings(MAJUU_KYC_DOCUMENT_MB=1)
def test_what_is_no_whole_pdf_jpeg_or_png_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        clean(content)
    assert (refusal.value.code, refusal.value.field) == (code, "file")


@pytest.mark.parametrize(
    "extra",
    [
        "/OpenAction << /S /JavaScript /JS (app.alert(1)) >>",
        "/OpenAction << /S /Launch /F (cmd.exe) >>",
        "/Names << /EmbeddedFiles 9 0 R >>",
        "/AA << /O << /S /J#61vaScript /JS 9 0 R >> >>",
        "/Extra << /J#53 (app.alert(1)) >>",
        "/AcroForm << /XFA 9 0 R >>",
        "/OpenAction << /S /GoToR /F (x.pdf) >>",
        "/OpenAction << /S /SubmitForm >>",
        "/Encrypt 9 0 R",
    ],
)
def test_a_pdf_that_does_more_than_show_pages_is_refused(extra: str) -> None:
    with pytest.raises(Invalid) as refusal:
        clean(small_pdf(extra=extra))
    assert refusal.value.code == "kyc_pdf_active"


def test_a_pdf_that_hides_its_script_in_a_packed_stream_is_refused() -> None:
    packed = zlib.compress(b"9 0 << /S /JavaScript /JS (app.alert(1)) >>").decode("latin-1")
    hidden = f"9 0 obj\n<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n{packed}\nendstream\nendobj\n"
    whole = small_pdf().decode("latin-1").replace("xref\n", hidden + "xref\n", 1)
    with pytest.raises(Invalid) as refusal:
        clean(whole.encode("latin-1"))
    assert refusal.value.code == "kyc_pdf_active"
    other = whole.replace("/FlateDecode", "/ASCII85Decode")
    with pytest.raises(Invalid, match="hidden objects"):
        clean(other.replace(packed, "abc").encode("latin-1"))


def test_an_ordinary_pdf_is_kept_as_it_is_also_with_links_and_a_first_page() -> None:
    content = small_pdf(extra="/OpenAction [3 0 R /Fit] /Names << /Dests 9 0 R >>")
    assert clean(content) == ("application/pdf", content)


@pytest.mark.django_db
def test_a_document_is_encrypted_under_a_name_that_says_nothing(root: Path) -> None:
    case = make_case()
    content = small_pdf("Jane Wanjiru 24567891")
    document = add_document(case=case, kind="other", name="../../etc/jane.pdf", content=content)
    kept = storage.kyc_storage().path(document.storage_name)
    assert root in Path(kept).parents
    assert document.name == "jane.pdf"
    assert "jane" not in document.storage_name
    assert b"Jane" not in Path(kept).read_bytes()
    assert Path(kept).stat().st_mode & 0o777 == 0o600
    assert view_document(document=document) == content
    entry = AuditEntry.objects.filter(action="kyc_case.document_viewed").get()
    assert entry.changes == {"document": document.public_id}


@pytest.mark.django_db
def test_a_file_that_was_changed_or_exchanged_does_not_open() -> None:
    case = make_case()
    first, second = case.documents.order_by("pk")[:2]
    KycDocument.objects.filter(pk=first.pk).update(storage_name=f"{second.storage_name}x")
    KycDocument.objects.filter(pk=second.pk).update(file_key=first.file_key)
    for document in KycDocument.objects.filter(pk__in=[first.pk, second.pk]):
        with pytest.raises(DocumentUnreadable):
            view_document(document=document)


@pytest.mark.django_db
def test_pieces_can_neither_be_left_out_nor_swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_PIECE", 10)
    key = storage.new_file_key()
    name = storage.write_file(b"0123456789abcdefghij!", key=key, bound_to="kyd_1")
    assert storage.read_file(name, key=key, bound_to="kyd_1") == b"0123456789abcdefghij!"
    path = Path(storage.kyc_storage().path(name))
    pieces = path.read_bytes().split(b"\n")
    for wrong in (pieces[:-1], [pieces[1], pieces[0], pieces[2]], [*pieces, pieces[2]]):
        path.write_bytes(b"\n".join(wrong))
        with pytest.raises(Exception, match="changed"):
            storage.read_file(name, key=key, bound_to="kyd_1")


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["objects", "fails"])
def test_what_a_scanner_refuses_is_not_kept(root: Path, way: str) -> None:
    case = make_case()
    before, rows = files(root), KycDocument.objects.count()

    class Scanner:
        @hookimpl
        def scan_upload(self, content: bytes, name: str) -> list[Violation]:
            if way == "fails":
                raise OSError("the scanner does not answer")
            return [Violation(code="virus_found", message=f"{name} has a virus.")]

    with temporary_plugin(Scanner()), pytest.raises((Invalid, OSError), match=r"virus|does not answer"):
        add_document(case=case, kind="other", name="x.pdf", content=small_pdf("new"))
    assert (files(root), KycDocument.objects.count()) == (before, rows)


@pytest.mark.django_db
def test_a_document_is_not_added_twice_nor_while_staff_have_the_case(root: Path) -> None:
    case = make_case()
    before = files(root)
    add_document(case=case, kind="other", name="a.pdf", content=small_pdf("a"))
    with pytest.raises(Conflict):
        add_document(case=case, kind="other", name="b.pdf", content=small_pdf("a"))
    KycCase.objects.filter(pk=case.pk).update(state="submitted")
    with pytest.raises(ActionRefused):
        add_document(case=KycCase.objects.get(), kind="other", name="c.pdf", content=small_pdf("c"))
    assert len(files(root)) == len(before) + 1


@pytest.mark.django_db(transaction=True)
def test_a_document_taken_back_before_it_was_handed_in_is_gone(root: Path) -> None:
    case = make_case()
    document = case.documents.order_by("pk").first()
    assert document is not None
    remove_document(document=document)
    remove_document(document=document)
    assert not KycDocument.objects.filter(pk=document.pk).exists()
    assert not storage.kyc_storage().exists(document.storage_name)


def test_a_folder_that_a_web_server_hands_out_is_refused(tmp_path: Path) -> None:
    served = str(tmp_path)
    assert check_kyc_settings() == []
    for name in ("MEDIA_ROOT", "STATIC_ROOT"):
        with override_settings(MAJUU_KYC_ROOT=tmp_path / "x" / "kyc", **{name: served}):
            assert [found.id for found in check_kyc_settings()] == ["majuu.E060"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAJUU_KYC_ROOT", 7),
        ("MAJUU_KYC_DOCUMENT_MB", 0),
        ("MAJUU_KYC_DOCUMENT_MB", True),
        ("MAJUU_KYC_REVIEW_DAYS", {"odd": 5}),
        ("MAJUU_KYC_REVIEW_DAYS", {"low": 0}),
        ("MAJUU_SANCTIONS_FILES", "list.csv"),
        ("MAJUU_SANCTIONS_THRESHOLD", 101),
        ("MAJUU_KYC_SCREENING_DAYS", 0),
    ],
)
def test_a_setting_that_cannot_be_used_is_found_by_check(name: str, value: object) -> None:
    with override_settings(**{name: value}):
        assert [(found.id, name in found.msg) for found in check_kyc_settings()] == [("majuu.E010", True)]


def with_object_stream(header: str) -> bytes:
    """A PDF with a stream of objects that holds nothing to object to, under this dictionary."""
    packed = zlib.compress(b"9 0 << /Type /Outlines >>").decode("latin-1")
    hidden = f"9 0 obj\n{header}\nstream\n{packed}\nendstream\nendobj\n"
    return small_pdf().decode("latin-1").replace("xref\n", hidden + "xref\n", 1).encode("latin-1")


@pytest.mark.parametrize(
    "header",
    [
        "<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >>",
        "<</Filter/FlateDecode/First 4/Length 33/N 1/Type/ObjStm>>",
        "<< /Type /ObjStm /N 1 /First 4 /Length 8 0 R /Extends 7 0 R /Filter [/FlateDecode] >>",
    ],
)
def test_a_stream_of_objects_as_programs_write_it_is_taken(header: str) -> None:
    content = with_object_stream(header)
    assert clean(content) == ("application/pdf", content)


@pytest.mark.parametrize(
    "header",
    [
        "<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 5 >> >>",
        "<< /N 1 /First 4 /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 5 >> >>",
        "<< /Type /ObjStm /N 1 /First 4 /Filter 8 0 R >>",
        "<< /Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode] >>",
        "<< /Type /ObjStm /N 1 /First 4 /Filter [/ASCIIHexDecode /FlateDecode] /X (1 0 obj) >>",
        "<< /Type /ObjStm /N 1 /First 4 /Filter [/ASCIIHexDecode /FlateDecode] " + " " * 3000 + ">>",
        "<< /Type /Obj#53tm /N 1 /First 4 /F#69lter [/ASCIIHexDecode /FlateDecode] >>",
    ],
)
def test_a_stream_of_objects_that_cannot_be_looked_into_is_refused(header: str) -> None:
    with pytest.raises(Invalid, match="hidden objects"):
        clean(with_object_stream(header))


def test_a_pdf_of_more_streams_than_can_be_looked_into_is_refused() -> None:
    content = small_pdf().replace(b"xref\n", b"stream\n" * 20_001 + b"xref\n", 1)
    with pytest.raises(Invalid) as refusal:
        clean(content)
    assert refusal.value.code == "kyc_pdf_too_large"
