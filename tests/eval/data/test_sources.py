"""Samples from files: what is read, and what is refused with words that name the place."""

import json
import os
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.errors import DataError
from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.data.sources import jsonl, open_source
from medvision_agent.eval.data.sources.checks import parse_sample
from medvision_agent.eval.data.sources.picture import decode_picture, read_picture

LINE: dict[str, Any] = {
    "id": "a",
    "task": "distance",
    "image": "images/a.png",
    "pixel_size": {"height_mm": 2, "width_mm": 0.5},
    "modality": "CT",
    "plane": "axial",
    "landmarks": ["p", "q"],
    "target": [3.5],
    "convention": "edge",
    "truth_points": [{"name": "p", "x": 0, "y": 0}, {"name": "q", "x": 7, "y": 5}],
    "dataset": "d",
    "subject": "d/1",
    "marks": {"derived": True},
}
GREY = np.arange(35, dtype=np.uint8).reshape(5, 7)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Return a function that writes lines (dicts or raw text) and a picture, and names the file."""

    def make(*lines: dict[str, Any] | str, picture: bytes | None = None) -> Path:
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / "a.png").write_bytes(png(GREY) if picture is None else picture)
        file = tmp_path / "s.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        file.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return file

    return make


def test_reads_a_file(write):
    source = open_source(str(write("", LINE, "   ", LINE | {"id": "b\u2028c", "subject": "d/2"})))
    first, second = source.samples
    assert (first.id, second.id) == ("a", "b\u2028c")
    assert first.marks.derived
    assert first.truth_points[1].x == 7
    assert np.array_equal(source.load(first).values, GREY)
    assert not source.info.demonstration


def test_a_file_is_read_once_by_whichever_thread_comes_first(write, monkeypatch):
    source, read, numbers = open_source(str(write(LINE)), listing=False), jsonl._read, []

    def reading(*given):
        numbers.append(1)
        together.wait()  # the others have come meanwhile
        yield from read(*given)

    together = Barrier(2)
    monkeypatch.setattr(jsonl, "_read", reading)
    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(lambda: source.samples) for _ in range(4)]
        together.wait()
        assert {len(one.result()) for one in found} == {1}
    assert numbers == [1]


def test_reads_a_file_that_starts_with_a_byte_order_mark(write):
    path = write(LINE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(open_source(str(path)).samples) == 1


def broken(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in (LINE | {"id": "b"} | fields).items() if value is not ...}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "b", "task": "dist', "Invalid JSON"),
        ("[1, 2]", "valid dictionary or instance of Sample|JSON object|Input should be an object"),
        ("\x00", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        (broken(subject=...), "subject: Field required"),
        (broken(subjects="x"), r"subjects: unknown key\. Did you mean 'subject'\?"),
        (broken(label=..., lable="x"), r"lable: unknown key\. Did you mean 'label'\?"),
        (broken(pixel_size={"hight_mm": 1, "width_mm": 1}), r"hight_mm: unknown key\. Did you mean 'height_mm'\?"),
        (broken(task="distence"), r"task: Input should be .*\. Did you mean 'distance'\?"),
        (broken(target=[float("nan")]), r"target\.0: Input should be a finite number"),
        (broken(target=[float("inf")]), r"target\.0: Input should be a finite number"),
        (broken(target=["3.5"]), r"target\.0: Input should be a valid number"),
        (broken(target=[1, 2]), "target: has 2 numbers; the task 'distance' needs 1"),
        (broken(target=[-1]), "target: .* a length in mm"),
        (broken(task="angle", landmarks=["a", "b", "c", "d"], target=[90.5]), "target: .* 0 to 90 degrees"),
        (broken(task="size", label="x", landmarks=[], target=[3, 0]), "target: .* above 0"),
        (broken(task="detection", label="x", landmarks=[], target=[0.5, 0, 0.4, 1]), "target: .* x1 < x2"),
        (broken(task="detection", label="x", landmarks=[], target=[0, 0, 1, 1.01]), "target: .* from 0 to 1"),
        (broken(pixel_size={"height_mm": 0, "width_mm": 1}), r"pixel_size\.height_mm: .* greater than 0"),
        (broken(image="/etc/a.png"), "image: .* below the folder of the file of samples"),
        (broken(image="../a.png"), "image: .* below the folder of the file of samples"),
        (broken(image="images/../../a.png"), "image: .* below the folder of the file of samples"),
        (broken(image="C:\\a.png"), "image: .* below the folder of the file of samples"),
        (broken(image="a\x00.png"), "image: .* below the folder of the file of samples"),
        (broken(id="a"), r"id: 'a' is the id of another sample too, at .*s\.jsonl:1;"),
    ],
)
def test_a_broken_line_is_named(write, line, said):
    path = write(LINE, "", line)
    with pytest.raises(DataError, match=said) as caught:
        open_source(str(path))
    assert str(caught.value).startswith(f"{path}:3: ")
    assert len(str(caught.value)) < 1000


def test_minor_may_exceed_major(write):
    source = open_source(str(write(broken(task="size", label="x", landmarks=[], target=[3, 4]))))
    assert source.samples[0].target == (3, 4)


def test_an_empty_file_is_refused(write):
    with pytest.raises(DataError, match="contains no samples"):
        open_source(str(write("", " ")))


@pytest.mark.parametrize("name", ["demos", "x.csv", "missing.jsonl", "missing.parquet"])
def test_unknown_sources_are_refused(name):
    with pytest.raises(DataError, match=rf"--data {re.escape(name)}: (expected 'demo'|there is no such file)"):
        open_source(name)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("table.csv", b"image,size", r"is a table, not a list of samples\. .*samples\.jsonl .*docs/data\.md"),
        ("slice.dcm", b"", r"is a DICOM file, which alone does not say what is asked\. .*samples\.jsonl"),
        ("IM0001", b"\0" * 128 + b"DICM", r"is a DICOM file, which alone does not say what is asked\. "),
        ("volume.nii.gz", b"", r"is a volume, which alone does not say what is asked\. .*samples\.jsonl"),
        ("picture.PNG", b"", r"is an image, which alone does not say what is asked\. .*samples\.jsonl"),
        ("folder", None, r"is a folder without a samples\.jsonl\. .*samples\.jsonl"),
        ("exported/samples.jsonl", b"", r"is a folder; give .*--data .*exported/samples\.jsonl$"),
        ("medvision/Data/Datasets/x", b"", r"is a folder of MedVision's data; give --data medvision:.*medvision/Data$"),
        ("notes.txt", b"hello", "expected 'demo'"),
    ],
)
def test_other_forms_are_refused_with_the_form_that_is_read(tmp_path, name, content, said):
    path = tmp_path / name
    if content is None:
        path.mkdir()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    given = tmp_path / name.partition("/")[0]
    with pytest.raises(DataError, match=f"^--data {re.escape(str(given))}: {said}"):
        open_source(str(given))


BOMB = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8193, 4, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")
NO_PIXELS = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")
FLIPPED = bytearray(png(GREY))
FLIPPED[len(FLIPPED) // 2] ^= 0xFF


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (png(GREY)[:-20], "incomplete or damaged"),
        (png(GREY)[:10], "incomplete or damaged"),
        (bytes(FLIPPED), "incomplete or damaged"),
        (BOMB, "8193 x 4 px; expected 1 to 8192"),
        (NO_PIXELS, "the PNG image cannot be decoded"),
        (b"", "not a PNG image"),
        (cv2.imencode(".jpg", GREY)[1].tobytes(), "not a PNG image"),
        (png(np.zeros((4, 4, 3), np.uint16)), "16-bit colour"),
        (png(np.zeros((4, 4), np.uint8)), r"truth_points: 'q' \(7, 5\) lies outside the image of 4 x 4 px"),
    ],
)
def test_a_broken_picture_fails_its_own_sample(write, picture, said):
    path = write(LINE, picture=picture)
    source = open_source(str(path))
    with pytest.raises(DataError, match=said) as caught:
        source.load(source.samples[0])
    assert str(caught.value).startswith(f"{path}:1: ")


def test_a_missing_picture_is_named(write):
    path = write(LINE | {"image": "images/b.png"})
    source = open_source(str(path))
    with pytest.raises(DataError, match=r"s\.jsonl:1: image: .*b\.png cannot be read \(No such file"):
        source.load(source.samples[0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_a_pipe_in_the_place_of_a_picture_is_refused(write, tmp_path):
    """Nobody ever writes to the pipe: reading it would not end."""
    path = write(LINE)
    (tmp_path / "images" / "a.png").unlink()
    os.mkfifo(tmp_path / "images" / "a.png")
    source = open_source(str(path))
    with pytest.raises(DataError, match=r"s\.jsonl:1: image: .*a\.png cannot be read \(it is not a regular file"):
        source.load(source.samples[0])


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_a_device_is_no_picture():
    with pytest.raises(OSError, match="it is not a regular file"):
        read_picture(Path("/dev/zero"))


def test_a_link_out_of_the_folder_is_refused(write, tmp_path):
    (tmp_path / "inside").mkdir()
    path = write(LINE).rename(tmp_path / "inside" / "s.jsonl")
    (tmp_path / "inside" / "images").symlink_to(tmp_path / "images")
    source = open_source(str(path))
    with pytest.raises(DataError, match=r"s\.jsonl:1: image: 'images/a\.png' leads out of"):
        source.load(source.samples[0])
    (tmp_path / "inside" / "images").unlink()
    (tmp_path / "inside" / "images").mkdir()
    (tmp_path / "inside" / "images" / "a.png").symlink_to("a.png")
    with pytest.raises(DataError, match=r"s\.jsonl:1: image: .* cannot be read"):
        source.load(source.samples[0])


def test_a_link_inside_the_folder_is_fine(write, tmp_path):
    path = write(LINE | {"image": "b.png"})
    (tmp_path / "b.png").symlink_to("images/a.png")
    source = open_source(str(path))
    assert np.array_equal(source.load(source.samples[0]).values, GREY)


@pytest.mark.parametrize(
    ("pixels", "values", "displayed"),
    [
        (GREY, GREY, True),
        (GREY.astype(np.uint16) * 1000, GREY.astype(np.float32) * 1000, False),
        (np.dstack([GREY] * 3), GREY, True),
        (np.dstack([GREY] * 3 + [np.zeros_like(GREY)]), GREY, True),
        # OpenCV's order is blue, green, red; luminance is 0.299 red + 0.587 green + 0.114 blue.
        (np.full((2, 2, 3), (0, 0, 200), np.uint8), np.full((2, 2), 60), True),
    ],
)
def test_kinds_of_pictures(pixels, values, displayed):
    native = decode_picture(png(pixels), "x")
    assert np.array_equal(native.values, values)
    assert native.displayed is displayed
    assert native.values.dtype == np.float32


def test_native_values_are_mapped_by_the_recipe(write):
    source = open_source(str(write(LINE, picture=png(GREY.astype(np.uint16) * 1000))))
    grey = RECIPES["medvision-1.2"].slice_of(source.load(source.samples[0]), source.samples[0]).grey
    assert (grey.min(), grey.max()) == (0, 255)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_line_breaks_the_reader(text):
    with pytest.raises(DataError, match=r"^here: "):
        parse_sample(text, "here")


@given(st.integers(0, len(png(GREY)) - 1), st.integers(1, 255))
def test_no_damage_to_a_picture_goes_unseen(at, flip):
    data = bytearray(png(GREY))
    data[at] ^= flip
    with pytest.raises(DataError, match=r"^here: "):
        decode_picture(bytes(data), "here")
