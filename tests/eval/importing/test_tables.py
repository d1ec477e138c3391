"""Pictures with a table, masks or COCO boxes: what is taken, what must agree, what is refused by line and column."""

import json

import cv2
import numpy as np
import pytest
from scans import nifti

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.importer import import_images
from medvision_agent.tools.view.geometry import Spacing

GREY = np.random.default_rng(4).integers(0, 256, (60, 80)).astype(np.uint8)


def pictures(folder, **images):
    (folder / "images").mkdir(exist_ok=True)
    for name, pixels in (images or {"a_png": GREY}).items():
        stem, _, suffix = name.rpartition("_")
        cv2.imwrite(str(folder / "images" / f"{stem}.{suffix}"), pixels)


def take(folder, table=None, out="out", **choices):
    if table is not None:
        (folder / "t.csv").write_text(table)
        choices["table"] = folder / "t.csv"
    made = import_images(Choices(images=folder / "images", **choices), folder / out)
    source = open_source(str(folder / out / "samples.jsonl"))
    return source, made


HEAD = "image,height_mm,width_mm,plane,modality,"


def test_every_kind_of_measure_of_a_table(tmp_path):
    pictures(tmp_path)
    table = (
        "image,height_mm,width_mm,plane,modality,subject,annotator,label,landmarks,measurement,task,x1,y1,x2,y2,x3,y3,x4,y4\n"
        "a.png,0.5,0.25,axial,XR,Jane Doe,reader 1,,left;right,width,distance,8,10,48,40,,,,\n"
        "a.png,0.5,0.25,axial,XR,Jane Doe,reader 1,,p;v;q,bend,,0,0,40,0,40,10,,\n"
        "a.png,0.5,0.25,axial,XR,Jane Doe,reader 2,lesion,,,size,20,20,20,40,10,30,30,30\n"
    )
    source, made = take(tmp_path, table)
    length, bend, size = source.samples
    assert length.target == pytest.approx((np.hypot(40 * 0.25, 30 * 0.5),), abs=1e-5)
    assert bend.target == (90.0,)
    assert size.target == (10.0, 5.0)
    assert (length.annotator, size.annotator) == ("reader 1", "reader 2")
    assert {sample.subject for sample in source.samples} == {"imported/subject-1"}
    assert "Jane" not in (tmp_path / "out/samples.jsonl").read_text()
    assert (source.load(size).values == GREY).all()
    assert not made.ledger.left


def test_points_at_the_centre_of_a_pixel_are_half_a_pixel_further(tmp_path):
    pictures(tmp_path)
    table = HEAD + "label,x_min,y_min,x_max,y_max\na.png,1,1,axial,XR,lesion,10,20,19,29\n"
    source, _ = take(tmp_path, table)
    assert source.samples[0].target == pytest.approx((10 / 80, 1 - 29 / 60, 19 / 80, 1 - 20 / 60), abs=1e-6)
    source, _ = take(tmp_path, table, out="centre", points_at="centre")
    assert source.samples[0].target == pytest.approx((10 / 80, 1 - 30 / 60, 20 / 80, 1 - 20 / 60), abs=1e-6)
    table = HEAD + "task,landmarks,x1,y1,x2,y2\na.png,1,1,axial,XR,distance,a;b,10,20,13,24\n"
    source, _ = take(tmp_path, table, out="points", points_at="centre")
    assert (source.samples[0].truth_points[0].x, source.samples[0].target) == (10.5, (5.0,))


def test_recist_axes_and_their_stated_lengths_must_agree(tmp_path):
    pictures(tmp_path)
    head = HEAD + "label,long_x1,long_y1,long_x2,long_y2,short_x1,short_y1,short_x2,short_y2,long_mm,short_mm\n"
    row = "a.png,0.5,0.5,axial,CT,lesion,10,10,40,50,37,24,13,42,{},15\n"
    source, _ = take(tmp_path, head + row.format(25))
    assert source.samples[0].target == (25.0, 15.0)
    with pytest.raises(
        DataError, match=r"line 2: long_mm: 31 is stated, but its points and the pixel size give 25\.00"
    ):
        take(tmp_path, head + row.format(31), out="no")
    slanted = row.replace("37,24,13,42", "20,20,38,52")
    with pytest.raises(DataError, match="the axes meet at"):
        take(tmp_path, head + slanted.format(25), out="no")
    source, made = take(tmp_path, HEAD + "label,long_mm,short_mm\na.png,0.5,0.5,axial,CT,lesion,25,15\n", out="stated")
    assert source.samples[0].target == (25.0, 15.0)
    assert "axes stated in the table" in str(made.ledger.facts())


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("img,label\na.png,x\n", "no column 'image'"),
        ("image,lable\na.png,x\n", "'lable' is not a known column. Did you mean 'label'"),
        ("image,image\na.png,a.png\n", "is there twice"),
        ('image,label\na.png,"x\n', "unexpected end of data"),
        ("image,label,label_x\n", "not a known column"),
        ("image,height_mm\na.png,0;5\n", "is not a number"),
        ('image,height_mm\na.png,"0,5"\n', "use a point as the decimal separator"),
        ("image,height_mm\na.png,nan\n", "is not a number"),
        ("image,label\na.png,x,y\n", "3 cells under 2 columns"),
        ("image,label\n,x\n", "image: is empty"),
        ("image,height_mm\na.png,0.5\n", "line 2: width_mm: is empty, but height_mm is given"),
        ("image,spacing_mm\na.png,-1\n", "expected a finite number above 0"),
        ("image,label\na.png,x\n", "nothing states the pixel size"),
        ("image,spacing_mm,label,x_min,y_min,x_max\na.png,1,x,1,1,5\n", "line 2: y_max: is empty, but x_min is given"),
        ("image,spacing_mm,x_min,y_min,x_max,y_max\na.png,1,1,1,5,5\n", "label: is empty"),
        (
            "image,spacing_mm,label,x_min,y_min,x_max,y_max\na.png,1,x,1,1,500,5\n",
            "lies outside the image of 80 x 60 px",
        ),
        ("image,spacing_mm,landmarks,x1,y1,x2,y2\na.png,1,a,1,1,5,5\n", "1 name for 2 points"),
        ("image,spacing_mm,task,landmarks,x1,y1,x2,y2\na.png,1,angle,a;b,1,1,5,5\n", "an angle 3 or 4"),
        ("image,spacing_mm,landmarks,x1,y1,x2,y2,x3,y3\na.png,1,a;b;c,1,1,1,1,5,5\n", "are at the same place"),
        ("image,spacing_mm,value\na.png,1,5\n", "needs the task 'distance' or 'angle'"),
        ("image,spacing_mm,task,landmarks,value\na.png,1,angle,a;b;c;d,140\n", "0 to 90 degrees"),
        ("image,spacing_mm,label,area_mm2\na.png,1,x,0\n", "area_mm2: 0; expected mm2 above 0"),
        ("image,spacing_mm,area_mm2\na.png,1,9\n", "task area needs the name of the structure"),
        ("image,spacing_mm,label,area_mm2,value\na.png,1,x,9,3\n", "the row also gives another measure"),
        ("image,spacing_mm,label,area_mm2,long_mm,short_mm\na.png,1,x,9,3,2\n", "the row also gives another measure"),
        ("image,spacing_mm,task,label,value\na.png,1,area,x,9\n", "an area is stated in area_mm2"),
        ("image,spacing_mm,subject\na.png,1,Doe\na.png,1,Roe\n", "different subjects"),
        ("image,spacing_mm\na.png,1\na.png,2\n", "different pixel sizes"),
        ("image,spacing_mm\na.png,1\nb.png,1\n", "line 3: no image has the name"),
    ],
)
def test_tables_are_refused_by_line_and_column(tmp_path, table, words):
    pictures(tmp_path)
    with pytest.raises(DataError, match=words):
        take(tmp_path, table)
    assert not (tmp_path / "out").exists()


def test_a_row_states_an_area(tmp_path):
    pictures(tmp_path)
    source, made = take(tmp_path, "image,spacing_mm,plane,modality,label,area_mm2\na.png,0.5,axial,US,thyroid,412.5\n")
    (sample,) = source.samples
    assert (sample.task, sample.label, sample.target, sample.truth_points) == ("area", "thyroid", (412.5,), ())
    assert made.ledger.facts()["target of area"] == {"area stated in the table": 1}


def test_masks_of_pictures(tmp_path):
    pictures(tmp_path, a_png=GREY, b_tif=(GREY.astype(np.uint16) * 200), c_jpg=GREY)
    (tmp_path / "masks").mkdir()
    mask = np.zeros(GREY.shape, np.uint8)
    mask[10:30, 20:60] = 255
    for name in ("a.png", "b_mask.png", "c-seg.tif"):
        cv2.imwrite(str(tmp_path / "masks" / name), mask)
    choices = {"masks": tmp_path / "masks", "spacing": Spacing(1.0, 0.5), "plane": "axial", "tasks": ("detection",)}
    source, made = take(tmp_path, **choices)
    assert [sample.target for sample in source.samples] == [pytest.approx((0.25, 0.5, 0.75, 1 - 10 / 60), abs=1e-6)] * 3
    assert (source.load(source.samples[1]).values == GREY * 200.0).all()
    assert not made.ledger.left
    cv2.imwrite(str(tmp_path / "masks/b_mask.png"), mask[:-1])
    cv2.imwrite(str(tmp_path / "masks/c-seg.tif"), np.dstack((mask, mask, 255 - mask)))
    (tmp_path / "masks/a.png").unlink()
    with pytest.raises(
        DataError, match=r"(?s)no mask of this image.*80 x 59 px, but the image has 80 x 60.*colour image"
    ):
        take(tmp_path, out="no", **choices)


def test_a_name_that_several_images_have_is_nobodys(tmp_path):
    pictures(tmp_path)
    for folder in ("images/one", "images/two", "masks"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("one", "two"):
        cv2.imwrite(str(tmp_path / f"images/{folder}/b.png"), GREY)
    head = "image,spacing_mm,plane,label,x_min,y_min,x_max,y_max\n"
    with pytest.raises(DataError, match="line 2: no image has the name"):
        take(tmp_path, head + "b.png,1,axial,x,1,1,5,5\n")
    source, made = take(tmp_path, head + "two/b.png,1,axial,x,1,1,5,5\na.png,1,axial,x,1,1,5,5\n")
    assert [sample.id[:7] for sample in source.samples] == ["image-1", "image-3"]
    assert ["nothing states the pixel size" in why for _, _, why in made.ledger.left] == [True]
    cv2.imwrite(str(tmp_path / "masks/b.png"), np.full(GREY.shape, 255, np.uint8))
    with pytest.raises(DataError, match="several images have this name"):
        take(tmp_path, out="no", masks=tmp_path / "masks", spacing=Spacing(1, 1))


def coco(folder, *boxes, **image):
    whole = {
        "images": [{"id": 7, "file_name": "a.png", "height": 60, "width": 80, **image}],
        "categories": [{"id": 1, "name": "nodule"}, {"id": 2, "name": "mass"}],
        "annotations": [{"id": at, "image_id": 7, "iscrowd": 0, **box} for at, box in enumerate(boxes)],
    }
    (folder / "coco.json").write_text(json.dumps(whole))
    return {"coco": folder / "coco.json", "spacing": Spacing(0.2, 0.2), "plane": "frontal", "modality": "DX"}


def test_coco_boxes(tmp_path):
    pictures(tmp_path)
    boxes = [{"category_id": 1, "bbox": [8, 6, 16, 12]}, *({"category_id": 2, "bbox": [x, 0, 5, 5]} for x in (0, 50))]
    source, made = take(tmp_path, **coco(tmp_path, *boxes))
    (sample,) = source.samples
    assert sample.target == pytest.approx((0.1, 0.7, 0.3, 0.9))
    assert (sample.label, sample.convention, sample.plane) == ("nodule", "edge", "frontal")
    words = (
        "COCO, mass: the image has 2 boxes of this category, so a question about it has no single answer; leave one "
        "box, or give each structure a category of its own"
    )
    assert [why for _, _, why in made.ledger.left] == [words] * 2


@pytest.mark.parametrize(
    ("box", "image", "words"),
    [
        ({"category_id": 1, "bbox": [70, 6, 16, 12]}, {}, "extends beyond the image"),
        ({"category_id": 1, "bbox": [8, 6, 0, 12]}, {}, "above 0"),
        ({"category_id": 1, "bbox": [8, 6, 3]}, {}, "four finite numbers"),
        ({"category_id": 9, "bbox": [8, 6, 3, 3]}, {}, "category_id: 9"),
        ({"category_id": 1, "bbox": [8, 6, 3, 3], "iscrowd": 1}, {}, "iscrowd"),
        ({"category_id": 1, "bbox": [8, 6, 3, 3], "image_id": 8}, {}, "image_id: 8 is not an id among the images"),
        (
            {"category_id": 1, "bbox": [8, 6, 3, 3]},
            {"height": 61},
            "the COCO file states 80 x 61 px for this image, but it has 80 x 60 px",
        ),
        (
            {"category_id": 1, "bbox": [8, 6, 3, 3]},
            {"file_name": "z.png"},
            "1 of the images that this COCO file names were not found",
        ),
    ],
)
def test_coco_files_are_refused_by_name(tmp_path, box, image, words):
    pictures(tmp_path)
    with pytest.raises(DataError, match=words):
        take(tmp_path, **coco(tmp_path, box, **image))


def test_an_image_that_is_left_out_was_found_among_the_images(tmp_path):
    pictures(tmp_path)
    (tmp_path / "images/b.png").write_bytes(b"no picture")
    boxes = coco(tmp_path, {"category_id": 1, "bbox": [8, 6, 16, 12]})
    with pytest.raises(DataError, match="nothing states the pixel size") as refused:
        take(tmp_path, **boxes | {"spacing": None})
    assert "were not found" not in str(refused.value)
    coco(tmp_path, {"category_id": 1, "bbox": [8, 6, 16, 12]}, file_name="b.png")
    with pytest.raises(DataError, match=r"b\.png: ") as refused:
        take(tmp_path, **boxes)
    assert "were not found" not in str(refused.value)


def test_what_is_counted_and_asked_is_about_the_images_that_came_in(tmp_path):
    pictures(tmp_path, a_png=GREY, b_png=GREY + 1)
    _, made = take(tmp_path, **coco(tmp_path, {"category_id": 1, "bbox": [8, 6, 16, 12]}))
    assert [path.name for _, path, _ in made.ledger.left] == ["b.png"]
    counts = {what: sum(origins.values()) for what, origins in made.ledger.facts().items()}
    assert counts == dict.fromkeys(("native values", "pixel_size", "subject", "target of detection", "annotator"), 1)
    assert set.union(*made.ledger.unknown.values()) == {"image-1"}


def test_pictures_that_are_none(tmp_path):
    pictures(tmp_path, a_png=GREY)
    (tmp_path / "images/b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "images/c.jpg").write_bytes(b"")
    ok, pages = cv2.imencodemulti(".tiff", [GREY, GREY])
    assert ok
    (tmp_path / "images/d.tiff").write_bytes(pages.tobytes())
    table = "image,spacing_mm,label,x_min,y_min,x_max,y_max\n"
    table += "".join(f"{name},1,x,1,1,5,5\n" for name in ("a.png", "b.png", "c.jpg", "d.tiff"))
    _, made = take(tmp_path, table)
    assert [(tag, path.name) for tag, path in made.keys] == [
        *(("image-1", "a.png"), ("image-2", "b.png"), ("image-3", "c.jpg"), ("image-4", "d.tiff"))
    ]
    reasons = {path.name: why for tag, path, why in made.ledger.left if tag != "table"}
    assert set(reasons) == {"b.png", "c.jpg", "d.tiff"}
    assert "2 pages" in reasons["d.tiff"]
    assert "not a readable" in reasons["b.png"]


def test_people_of_a_file_of_subjects(tmp_path):
    pictures(tmp_path, a_png=GREY, b_png=GREY, c_png=GREY)
    table = HEAD + "label,x_min,y_min,x_max,y_max\n"
    table += "".join(f"{name}.png,1,1,axial,XR,x,1,1,5,5\n" for name in "abc")
    (tmp_path / "people.csv").write_text("image,subject\na.png,Doe\nb.png,Roe\nc.png,Doe\n")
    source, _ = take(tmp_path, table, subjects=tmp_path / "people.csv", dataset="lab")
    assert [sample.subject for sample in source.samples] == ["lab/subject-1", "lab/subject-2", "lab/subject-1"]
    assert len(list((tmp_path / "out/images").iterdir())) == 1  # the same pixels are one file
    (tmp_path / "people.csv").write_text("image,subject\na.png,Doe\n")
    _, made = take(tmp_path, table, out="some", subjects=tmp_path / "people.csv")
    assert [why for _, _, why in made.ledger.left] == [
        "--subjects has no row for this image; add one with the name of its file"
    ] * 2


MASK = np.zeros(GREY.shape, np.uint8)
MASK[10:30, 20:60] = 255
OF_MASKS = {"spacing": Spacing(1.0, 0.5), "plane": "axial", "tasks": ("detection",)}


def test_a_mask_belongs_to_the_image_of_the_longest_name(tmp_path):
    images = tmp_path / "images"
    for folder in (images, tmp_path / "masks"):
        folder.mkdir()
    for name in ("p1.png", "p1_2.png", "case.1.png", "case.2.png"):
        cv2.imwrite(str(images / name), GREY)
    for name in ("p1_2.png", "case.1_mask.png", "case.2_mask.png"):
        cv2.imwrite(str(tmp_path / "masks" / name), MASK)
    _, made = take(tmp_path, masks=tmp_path / "masks", **OF_MASKS)
    assert made.samples == 3
    assert [(path.name, why[:16]) for _, path, why in made.ledger.left] == [("p1.png", "--masks has no m")]


def test_one_name_of_two_images_does_not_stop_the_others(tmp_path):
    values, affine = np.zeros((8, 9, 5), np.int16), np.diag([-1.0, -1.0, 2.0, 1.0])
    for name in ("one/b", "two/b", "a"):
        nifti(tmp_path / f"images/{name}.nii.gz", values, affine)
    ends = [{"label": f"w-{at}", "position": [at, 0.0, 4.0]} for at in (1, 5)]
    line = {"type": "Line", "coordinateSystem": "LPS", "controlPoints": ends}
    (tmp_path / "markups").mkdir()
    for name in "ab":
        (tmp_path / f"markups/{name}.mrk.json").write_text(json.dumps({"markups": [line]}))
    _, made = take(tmp_path, markups=tmp_path / "markups")
    assert made.samples == 1
    assert ["several images have this name" in why for _, _, why in made.ledger.left] == [True, True]


def test_a_slice_is_a_whole_number(tmp_path):
    nifti(tmp_path / "images/a.nii.gz", np.zeros((8, 9, 5), np.int16), np.diag([-1.0, -1.0, 2.0, 1.0]))
    with pytest.raises(DataError, match=r"line 2: slice: 1\.6; expected a whole number"):
        take(tmp_path, "image,slice,label,x_min,y_min,x_max,y_max\na.nii.gz,1.6,x,1,1,5,5\n")
