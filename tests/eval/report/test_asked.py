"""What a chapter says of who was asked what."""

import pytest
from told.answers import BAD, said

from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn
from medvision_agent.eval.findings.stated import asked_line
from medvision_agent.eval.store.read import open_run


@pytest.fixture
def asked(store):
    """Return the sentence for arms, each with its model."""
    run = open_run(store("run", said(BAD)))

    def line(*arms):
        made = tuple(ArmIn(name, model, (run,)) for name, model in arms)
        return asked_line(ChapterIn("c", "study", made)).split(" 48 samples ")

    return line


def test_arms_that_several_models_share_are_counted_once(asked):
    before, after = asked(("m off", "m"), ("m on", "m"), ("n off", "n"), ("n on", "n"))
    assert before == "2 models (m, n) were asked"
    assert after.partition(" in ")[2].startswith("2 arms (off, on): ")


def test_it_is_said_where_a_model_was_not_asked_in_every_arm(asked):
    _, after = asked(("m off", "m"), ("m on", "m"), ("n off", "n"))
    assert "in 2 arms (off, on, not every model in each): " in after


@pytest.mark.parametrize("arms", [(("off", "m"), ("on", "m")), (("a", "m"), ("b", "n"))])
def test_arms_of_one_model_and_runs_of_several_are_named(asked, arms):
    before, after = asked(*arms)
    models = ", ".join(dict.fromkeys(model for _, model in arms))
    assert before == f"2 arms of {models} ({', '.join(name for name, _ in arms)}) were asked"
    assert " in " not in after
