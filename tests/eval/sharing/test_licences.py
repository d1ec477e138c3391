"""Which images may be shared: by the licence and the origin that samples state, and what the user vouches for."""

import pytest

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.sample import Marks, PixelSize, Sample
from medvision_agent.eval.data.sources.shipped import demo, phantom
from medvision_agent.eval.sharing.licences import licence_of, stated_licences

MADE = "made by medvision-agent, phantom 1 of seed 0"


def a_sample(licence="", source="", **more):
    return Sample(
        id="s",
        task="distance",
        image="s.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="CT",
        plane="axial",
        landmarks=("a", "b"),
        target=(1.0,),
        convention="edge",
        dataset="lab",
        subject="lab/1",
        licence=licence,
        source=source,
        **more,
    )


@pytest.mark.parametrize(
    "licence",
    [
        "CC BY 4.0",
        "CC-BY-SA-4.0",
        "CC BY-NC-SA 4.0",
        "CC0 1.0",
        "MIT",
        "MIT license",
        "Apache-2.0",
        "BSD-3-Clause",
        "ODC-By",
    ],
)
def test_a_known_licence_with_an_origin_allows_sharing(licence):
    assert licence_of(a_sample(licence, "series 3"), {}).refused == ""


@pytest.mark.parametrize(
    ("licence", "source", "why"),
    [
        ("", "series 3", "the data states no licence"),
        ("CC BY 4.0", "", "the data does not state the origin"),
        ("CC BY-ND 4.0", "series 3", "not one that is known here"),
        ("CC BY-NC-ND 4.0", "series 3", "not one that is known here"),
        ("not for distribution", "series 3", "not one that is known here"),
        ("MIT for the code; images restricted", "series 3", "not one that is known here"),
        ("data use agreement, then CC BY 4.0", "series 3", "not one that is known here"),
        ("MIT Laboratory for Computational Physiology, PhysioNet 1.5.0", "series 3", "not one that is known here"),
        ("PhysioNet Credentialed Health Data License; derived from CC0 data", "series 3", "not one that is known here"),
        ("nur mit Genehmigung", "series 3", "not one that is known here"),
        ("CC BY 4.0 the text; CC BY-ND 4.0 the images", "series 3", "not one that is known here"),
        ("not in the public domain", "series 3", "not one that is known here"),
        ("COMMITTEE", "series 3", "not one that is known here"),
        ("ask the authors", "series 3", "not one that is known here"),
    ],
)
def test_anything_else_does_not(licence, source, why):
    assert why in licence_of(a_sample(licence, source), {}).refused


def test_a_licence_that_the_user_vouches_for_is_named_as_that():
    found = licence_of(a_sample(), stated_licences({"lab": " CC BY 4.0\x1b[2J "}))
    assert (found.refused, found.licence, found.basis) == ("", "CC BY 4.0?[2J", "stated by whoever shared the runs")
    assert licence_of(a_sample(), stated_licences({"other": "CC BY 4.0"})).refused


@pytest.mark.parametrize(("given", "empty"), [({"lab": " "}, "the licence"), ({"": "MIT"}, "the name of the data set")])
def test_an_empty_statement_is_refused(given, empty):
    with pytest.raises(ConfigError, match=f"{empty} is empty; give DATASET=LICENCE"):
        stated_licences(given)


def test_every_image_of_the_demo_set_and_of_phantoms_may_be_shared():
    for source in (demo("", Reading()), phantom("3", Reading())):
        assert {licence_of(sample, {}).refused for sample in source.samples} == {""}


def test_synthetic_images_of_others_need_a_licence():
    assert licence_of(a_sample(source="a generator", marks=Marks(synthetic=True)), {}).refused
    assert not licence_of(a_sample(source=MADE, marks=Marks(synthetic=True)), {}).refused
    assert licence_of(a_sample(source=MADE), {}).refused
