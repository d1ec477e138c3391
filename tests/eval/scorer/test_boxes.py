"""Boxes as models write them in our own conventions: what is read, what is not, and the same reading everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.data.sources.demo import DemoSource
from medvision_agent.eval.scorer.boxes import written_box
from medvision_agent.eval.scorer.numbers import extract
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.scorer.spoken import scored_text, spoken_in
from medvision_agent.eval.store.record import Record
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size

TAGGED, WHOLE = PROTOCOLS["medvision-1.2"], PROTOCOLS["paper-v1"]
OTHERS = [frame for frame in FRAMES.values() if frame.name != "medvision"]
THOUSAND = FRAMES["norm1000"]
SIZE = Size(height=384, width=512)


def values(text, frame=THOUSAND):
    """Return the box read in a tagged text, as numbers."""
    box = written_box(f"I see it. <answer>{text}</answer>", frame, TAGGED)
    return box and tuple(map(float, box))


LEGIBLE = [
    "398,699,512,801",
    "398, 699, 512, 801",
    "398 699 512 801.",
    "398; 699; 512; 801",
    "[398,699,512,801]",
    "[ 398 , 699 , 512 , 801 ]",
    "(398,699,512,801)",
    "[[398,699,512,801]]",
    "[398.0, 699, 512, 801] px of 1000",
    "(398,699),(512,801)",
    "(398, 699), (512, 801)",
    "(398,699)(512,801)",
    "[[398, 699], [512, 801]]",
    "(398, 699) to (512, 801)",
    "Top-left: (398, 699), bottom-right corner: (512, 801)",
    '{"top_left": [398, 699], "bottom_right": [512, 801]}',
    '{"bbox_2d": [398,699,512,801]}',
    '```json\n[\n\t{"bbox_2d": [398, 699, 512, 801], "label": "lesion 2", "score": 0.93}\n]\n```',
    '{"answer": {"box_2d": [398, 699, 512, 801]}}',
    "<box>398,699,512,801</box>",
    "<box>(398,699),(512,801)</box>",
    "<ref>kidney</ref><box>[[398, 699, 512, 801]]</box>",
    "<|box_start|>(398,699),(512,801)<|box_end|>",
    "<|begin_of_box|>[398, 699, 512, 801]<|end_of_box|>",
    "**398, 699, 512, 801**",
    "坐标为398，699，512，801。",  # noqa: RUF001
    "（398，699）→（512，801）",  # noqa: RUF001
    "398, 699, 512, 801 in view v0",
    "v0: [398, 699, 512, 801], confidence 95 %",
    "(398,699),(512,801), that is [398, 699, 512, 801]",
    "3.98e2, 699., +512, 801",
    '{"x0":398,"y0":699,"x1":512,"y1":801}',
    "x0:398,y0:699,x1:512,y1:801",
    "x1 = 398, y1 = 699, x2 = 512, y2 = 801",
    "y_min: 699, x_min: 398, y_max: 801, x_max: 512",
    "left: 398, right: 512, top: 699, bottom: 801",
]


@pytest.mark.parametrize("text", LEGIBLE)
def test_every_usual_form_is_read(text):
    assert values(text) == (398, 699, 512, 801)
    whole = written_box(f"The picture has 512 x 384 pixels. {text}", THOUSAND, WHOLE)
    assert tuple(map(float, whole)) == (398, 699, 512, 801)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no box",
        "[398, 699, 512]",
        "[398, 699, 512, 801, 0.9]",
        "[398,699,512,801] or [1,2,3,4]",
        "[[398,699,512,801],[1,2,3,4]]",
        "398, 699, 512, 801, 1, 2, 3, 4",
        "[398,699,512,801], or rather one of 1, 2, 3, 4, 5",
        "(398,699),(512,801),(1,2)",
        "(398,699)",
        "39.8%, 69.9%, 51.2%, 80.1%",
        "39.8, 69.9, 51.2, 80.1 %",
        "39.8, 69.9, 51.2, 80.1 mm",
        "398 mm, 699 mm, 512 mm, 801 mm",
        "view v0, v1, v2, v3",
        "[398-512, 699-801]",
        "398, 699, 512, 801-802",
        "398/1000, 699/1000, 512/1000, 801/1000",
        "398:699:512:801",
        "10:30, 20, 30, 40",
        "398, 699, 512, 80²",
        "1.2.3, 4.5.6, 7.8.9, 1.2.3",
        "0, 0, 1,000, 1,000",
        "0,398 0,699 0,512 0,801",
        "0,398; 0,699; 0,512; 0,801",
        "center (455, 750), size (114, 102)",
        "x: 398, y: 699, width: 114, height: 102",
        "x0: 398, y0: 699, x0: 512, y0: 801",
        "x0: 398, y0: 699, x1: 512, y1: 801, x2: 5",
        "x from 398 to 512, y from 699 to 801",
    ],
)
def test_what_is_not_exactly_one_box_is_not_read(text):
    assert values(text) is None


def test_no_comma_is_part_of_a_number():
    """MedVision's rule takes the commas of ``398,699,512,801`` for those of thousands: one number."""
    assert extract("<answer>398,699,512,801</answer>", 4, TAGGED) == ""
    assert values("398,699,512,801") == (398, 699, 512, 801)
    assert values("12,5 30,2") == (12, 5, 30, 2)
    assert values("[−5, -1.5, 2, .5]") == (-5, -1.5, 2, 0.5)  # noqa: RUF001


def test_names_decide_over_the_order():
    yx = FRAMES["norm1000-yx"]
    assert values("398, 699, 512, 801", yx) == (398, 699, 512, 801)
    assert values('{"x0": 699, "y0": 398, "x1": 801, "y1": 512}', yx) == (398, 699, 512, 801)
    assert values("xmin=699 xmax=801 ymin=398 ymax=512", yx) == (398, 699, 512, 801)


def test_pixels_may_be_called_pixels_where_they_are():
    text = "39px, 69 px, 51 pixels, 80 pixels"
    assert values(text, FRAMES["pixel"]) == (39, 69, 51, 80)
    assert values(text, FRAMES["top-left"]) is None


def test_each_protocol_reads_its_part_of_the_reply():
    text = "<think>perhaps [1,2,3,4]</think> <answer>[5,6,7,8]</answer> (not [9,9,9,9] but see 1, 2, 3, 4, 5)"
    assert written_box(text, THOUSAND, TAGGED) == ("5", "6", "7", "8")
    assert written_box(text, THOUSAND, WHOLE) == ("9", "9", "9", "9")
    for untagged in ("[1,2,3,4]", "<answer>[1,2,3,4]", "[1,2,3,4]</answer>", "[1,2,3,4] <answer>none</answer>"):
        assert written_box(untagged, THOUSAND, TAGGED) is None
        assert written_box(untagged, THOUSAND, WHOLE) == ("1", "2", "3", "4")


def answered(text, frame, sample):
    return Record(sample=sample, outcome=Outcome.ANSWERED, response=text, spoken=spoken_in(frame, SIZE))


@pytest.fixture(scope="module")
def tumour():
    return next(sample for sample in DemoSource().samples if sample.task == "detection")


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ("norm1000-yx", "[398,699,512,801]"),
        ("norm1000-yx", '```json\n[{"box_2d": [398, 699, 512, 801]}]\n```'),
        ("norm1000", "<|box_start|>(699,398),(801,512)<|box_end|>"),
        ("top-left", "[0.699,0.398,0.801,0.512]"),
        ("pixel", "(357.888,152.832),(410.112,196.608)"),
    ],
)
def test_one_box_in_every_convention_scores_the_same(tumour, frame, text):
    assert tumour.id == "pyrad_brain1_z11__det_tumour"
    for rules, reply in ((TAGGED, f"<answer>{text}</answer>"), (WHOLE, text)):
        score = score_record(answered(reply, frame, tumour), rules)
        assert score.iou == pytest.approx(0.9894, abs=5e-5)


number = st.floats(-2000, 2000).map(lambda value: f"{value:.4f}") | st.integers(-2000, 2000).map(str)
form = st.sampled_from(
    [
        "{0}, {1}, {2}, {3}",
        "{0},{1},{2},{3}",
        "[{0}, {1}, {2}, {3}]",
        "({0},{1}),({2},{3})",
        '{{"bbox_2d": [{0}, {1}, {2}, {3}], "label": "nodule"}}',
        "<box>({0},{1}),({2},{3})</box>",
        "<|box_start|>({0}, {1}), ({2}, {3})<|box_end|>",
    ]
)


@given(st.sampled_from(OTHERS), form, st.tuples(number, number, number, number))
def test_what_is_written_is_what_is_read(frame, form, numbers):
    text = form.format(*numbers)
    assert written_box(f"<answer>{text}</answer>", frame, TAGGED) == numbers
    assert written_box(f"Look: {text} is it.", frame, WHOLE) == numbers


pieces = st.sampled_from(
    [
        *("1, 2, 3, 4", "[5,6,7,8]", "(1,2),(3,4)", "x0: 1", "y0=2", "x1: 3, y1: 4", "left", "5", "-", "0.5", "%", ","),
        *(
            " ",
            "\n",
            "(",
            ")",
            "[",
            "]",
            "<answer>",
            "</answer>",
            "and",
            "to",
            "top-left",
            "v0",
            "px",
            "1e999",
            "٣",
            "²",
        ),
    ]
)


@given(st.sampled_from(OTHERS), st.lists(pieces | st.text(max_size=3), max_size=20).map("".join))
def test_a_scored_text_says_to_each_protocol_what_it_reads(tumour, frame, text):
    """No text raises; where a protocol reads no box in the reply, it reads none in the text that is scored."""
    record = answered(text, frame.name, tumour)
    said = scored_text(record)
    for rules in PROTOCOLS.values():
        box = written_box(text, frame, rules)
        extracted = extract(said, 4, rules)
        if box is None:
            assert extracted == ""
        else:
            converted = frame.box_to_medvision([float(value) for value in box], SIZE)
            found = [float(value) for value in extracted.split(",")]
            assert found == pytest.approx([min(max(value, -1e40), 1e40) for value in converted], abs=1e-8, rel=1e-9)


@pytest.mark.parametrize(
    "part",
    [
        "[",
        "( ",
        "1 ",
        "1,",
        "1",
        " ",
        "1,2,3 x",
        "(1,2)",
        "(1,2) the ",
        "(1,2) - ",
        "x0:1 ",
        "left ",
        "1px",
        "1e",
        "\n,",
    ],
)
def test_long_texts_take_no_long_time(part):
    """A search of quadratic time would take hours here."""
    text = part * (100_000 // len(part))
    for frame in (THOUSAND, FRAMES["pixel"]):
        assert written_box(f"{text}z", frame, WHOLE) is None


def test_nothing_of_medvisions_own_convention_is_read_so():
    """Its rule is upstream's, to the letter: the golden vectors compare it with upstream's own."""
    assert spoken_in("medvision", SIZE) is None
    assert extract("<answer>[0,100,200,300]</answer>", 4, TAGGED) == ""
    assert extract("<answer>[0.1,0.2,0.3,0.4] v0</answer>", 4, TAGGED) == "0.2,0.3,0.4,0"
