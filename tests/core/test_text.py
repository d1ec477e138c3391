"""Numbers and words as they are shown."""

import pytest

from medvision_agent.errors import nearest
from medvision_agent.text import percent, points, significant


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(1185.8, 3, "1190"), (15000.0, 4, "15000"), (999.6, 3, "1000"), (62.5, 3, "62.5"), (0.00012, 3, "0.00012")],
)
def test_large_numbers_have_no_exponent(value, digits, shown):
    assert significant(value, digits) == shown


def test_what_is_not_alike_is_not_suggested():
    assert nearest("colour", ["volume", "label"]) == ""
    assert nearest("lable", ["volume", "label"]) == " Did you mean 'label'?"


def test_rates_have_the_sign_of_per_cent_and_differences_are_points():
    assert (percent(0.482), percent(1.0), percent(3.54)) == ("48.2%", "100.0%", "354.0%")
    assert (points(0.125), points(-0.05), points(-1e-9)) == ("+12.5 points", "-5.0 points", "+0.0 points")
