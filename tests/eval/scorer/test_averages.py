"""Averages over groups where MedVision's names say one thing and its code does another."""

from medvision_agent.eval.scorer.medvision.models import group_averages, printed_table, sides
from medvision_agent.eval.scorer.protocol import PROTOCOLS

RULES = PROTOCOLS["medvision-1.2"]
FIGURES = dict.fromkeys(("avgMAE", "avgMRE", "avgNMAE", "SuccessRate", "MRE<0.1", "MRE<0.2", "MRE<0.3"), 0.5)


def test_angles_of_one_data_set_only_are_averaged():
    names = ("FeTA24_angle_a", "Ceph-Biometrics-400_angle_b", "FeTA24_distance_c", "Ceph-Biometrics-400_distance_d")
    groups = {name: FIGURES | {"num_samples": 10**place} for place, name in enumerate(names)}
    samples = {name: average["samples"] for name, average in group_averages(groups, RULES).items()}
    assert samples == {
        "FeTA-Distance": 100,
        "Ceph-Angle": 10,
        "Ceph-Distance": 1000,
        "Distance": 1100,
        "Angle": 10,
    }


def test_a_side_without_groups_has_no_means_but_a_count():
    both = sides({"Liver @ CT (A)": {"IoU": 0.5, "num_samples": 50}})
    assert both["T/L"] == {"mean_metrics": {}, "regions": []}
    assert printed_table(both, RULES)["T/L"]["total_samples"] == 0
    assert printed_table(both, RULES)["anatomy"]["total_samples"] == 50
