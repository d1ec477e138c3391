"""Every record upstream made of the mini tree, targets and pictures included, is made here too, exactly."""

from collections import defaultdict
from hashlib import sha256

import numpy as np
import pytest

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.facts import MedVisionFacts, half
from medvision_agent.eval.data.medvision.folder import DataFolder
from medvision_agent.eval.data.medvision.plan import parse_case, read_plan
from medvision_agent.eval.data.medvision.records import Counter, configs_of, facts_of
from medvision_agent.eval.data.medvision.volume import VolumeCache


def read(root, *, filters=True):
    """Return (plan, configuration) to the facts of every plan of a folder."""
    found: defaultdict[tuple[str, str], list[MedVisionFacts]] = defaultdict(list)
    counters: defaultdict[tuple[str, str], Counter] = defaultdict(Counter)
    for plan in DataFolder(root).all_plans:
        for task, split, cases in read_plan(plan):
            configs = configs_of(plan, task, split)
            for raw in cases:
                case = parse_case(raw)
                for config in configs:
                    key = plan.path.name, config.name
                    found[key] += facts_of(raw, case, config, counters[key], filters=filters)
    return found


def test_every_record_is_upstreams(tree):
    root, expected = tree
    found = read(root)
    assert sum(map(len, expected.values())) >= 2612
    for name, lines in expected.items():
        ours = [(facts.key, facts.record(), list(facts.target())) for facts in found[name]]
        assert ours == [(line["key"], line["record"], line["target"]) for line in lines], name
        assert [facts.doc_id for facts in found[name]] == list(range(len(lines)))
        # The order of keys too: an exported file must look like upstream's.
        assert [list(facts.record()) for facts in found[name]] == [list(line["record"]) for line in lines]


def test_pictures_are_upstreams(tree):
    root, expected = tree
    volumes, seen = VolumeCache(), 0
    for line in (line for lines in expected.values() for line in lines if "visual" in line):
        record, visual = line["record"], line["visual"]
        values = volumes.slice(root / record["image_file"], record["slice_dim"], record["slice_idx"])
        assert list(values.shape) == visual["shape_hw"]
        grey = ((values - values.min()) / (values.max() - values.min()) * 255).astype(np.uint8)
        assert sha256(np.stack([grey] * 3, axis=-1).tobytes()).hexdigest() == visual["sha256_rgb_old_code"]
        seen += 1
    assert seen >= 5


def test_filters_off_keeps_everything(tree):
    root, _ = tree
    kept, every = read(root), read(root, filters=False)
    for name, facts in every.items():
        if "_Distance_" not in name[1] and "_Angle_" not in name[1]:
            assert [item.key for item in facts] == list(range(len(facts)))
        numbers = {item.key for item in facts}
        assert {item.key for item in kept[name]} <= numbers
    assert sum(map(len, every.values())) > 1.5 * sum(map(len, kept.values()))
    # Several boxes of one label are kept together, as upstream's loader has them.
    several = [item for facts in every.values() for item in facts if len(item.boxes) > 1]
    assert several
    assert len(several[0].record()["bounding_boxes"]["sizes"]) == len(several[0].boxes)


def test_half_is_the_rounding_of_the_specification():
    assert half(35.1746) == 35.1875
    assert half(0.1) == 0.0999755859375
    assert half(65_600.0) == float("inf")


@pytest.mark.parametrize(
    ("version", "biometry"), [(None, "1.1.1"), ("1.0.0", "1.0.0"), ("1.1.0", "1.1.0"), ("1.4.0", "1.1.1")]
)
def test_a_version_is_a_ceiling(tree, version, biometry):
    plans = list(DataFolder(tree[0]).plans(version))
    assert {plan.version for plan in plans if (plan.dataset, plan.kind) == ("MiniTumor", "biometry")} == {biometry}
    # A dataset younger than the ceiling is not there at all.
    young = [plan for plan in plans if (plan.dataset, plan.kind) == ("MiniBrainLandmarks", "detection")]
    assert bool(young) == (version in {None, "1.4.0"})


def test_versions_compare_as_numbers(toy):
    for version in ("1.2.0", "1.10.0"):
        toy.write(version=version)
    (plan,) = DataFolder(toy.root).plans()
    assert plan.version == "1.10.0"


@pytest.mark.parametrize("version", ["v1.1.1", "1.2", "1.1.5", "", "1.1.1.1"])
def test_malformed_and_unpublished_versions_are_refused(toy, version):
    with pytest.raises(ConfigError, match=r"--annotations .*1\.1\.1"):
        list(DataFolder(toy.root).plans(version))
