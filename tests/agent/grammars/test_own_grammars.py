"""Grammars of other packages: the example, installed and run; what is recorded of it; what is refused, naming whom."""

import json

import pytest
from installed import EXAMPLES, copied, install, plugged_in, written
from text_calls import ANSWER, Conversation, ask, bodies, conversations, text

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.grammars.registry import grammar_named
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.models.row import GRAMMARS
from medvision_agent.errors import ConfigError

BROKEN = """
from medvision_agent.agent.grammars.hermes import Hermes
from medvision_agent.agent.grammars.plain import Plain

class Mute(Hermes):
    opens = "Tool output"

class Lossy(Hermes):
    def write(self, calls):
        return super().write(calls[:1])

class Untyped(Hermes):
    def read(self, text, names):
        return [text]

class Moody(Hermes):
    def read(self, text, names):
        if "20.0" in text:
            raise KeyError("twenty")
        return super().read(text, names)

class Deaf(Hermes):
    def answer(self, results):
        return "<tool_response>" * len(results)

def costly():
    raise OSError("no licence")
"""
NAMES = ("mute", "lossy", "untyped", "moody", "deaf")


@pytest.fixture(autouse=True)
def _fresh():
    """Load every grammar anew: a cache would keep one of another test."""
    grammar_named.cache_clear()
    yield
    grammar_named.cache_clear()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return install(EXAMPLES / "grammar", tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source"))


@pytest.fixture
def broken(tmp_path):
    """Have a package with grammars that fail, each in its own way."""
    names = {name: f"failing:{name.capitalize()}" for name in NAMES} | {"costly": "failing:costly"}
    with plugged_in(written(tmp_path / "site", "some-lab-grammars", GRAMMARS.group, names, failing=BROKEN)):
        yield


def row(grammar):
    fields = {"provider": "openai", "model": "m", "tool_calling": "text", "grammar": grammar}
    return MODEL_CONFIG.validate_python(fields)


def steps(calls):
    """Return calls as the example writes them."""
    read = []
    for one in calls:
        try:
            read.append((json.loads(one)["name"], json.dumps(json.loads(one)["arguments"])))
        except ValueError:
            read.append(("ruler", "{broken"))
    return "\n".join(f"CALL {name} {arguments}" for name, arguments in read)


async def test_the_example_runs(installed, server):
    with plugged_in(installed):
        given = await ask(server, conversations(steps)["two calls, then one"], "chat", grammar="steps")
        assert (given.outcome, given.response) == (Outcome.ANSWERED, ANSWER)
        assert [call.ok for call in given.trace.tool_calls] == [True, True, True]
        system, _, said, results = bodies(server)[1]["messages"]
        assert 'A message that starts with "GOT"' in system["content"]
        assert "CALL name {arguments as JSON}" in system["content"]
        assert said["content"].startswith("Look.\nCALL crop {")
        first, second = results["content"][0]["text"].splitlines()
        assert first.startswith('GOT crop {"')
        assert second.startswith('GOT ruler {"')
        given = await ask(server, conversations(steps)["broken and unknown"], "chat", grammar="steps")
        assert given.outcome is Outcome.ANSWERED
        assert "could not be read: the arguments are no JSON" in given.trace.tool_calls[-1].text


def test_package_version_and_code_are_in_the_identity(installed, tmp_path):
    site = copied(installed, tmp_path / "site")
    with plugged_in(site):
        before = row("steps").identity()
        file = site / "medvision_agent_steps.py"
        file.write_text(file.read_text().replace("GOT", "HAVE"))
        after = row("steps").identity()
    assert before["grammar"] == "steps"
    origin = before.pop("grammar_origin")
    assert (origin["package"], origin["version"]) == ("medvision-agent-steps", "0.1")
    assert len(origin["code_sha256"]) == 64
    assert after.pop("grammar_origin")["code_sha256"] != origin["code_sha256"]
    assert before == after
    with pytest.raises(ValueError, match="unknown grammar; known: hermes, medvision, plain"):
        row("steps")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mute", r"its method answer must start with its text opens \('Tool output'\)"),
        ("lossy", "its method read does not return the same calls that its method write was given"),
        ("untyped", "read gave a list where a Parsed is expected"),
        ("deaf", "its method answer does not contain the tool's result"),
        ("costly", "fails: OSError: no licence; fix or uninstall"),
    ],
)
def test_a_grammar_that_does_not_work_is_refused_naming_its_package(broken, name, said):
    with pytest.raises(ConfigError, match=said) as error:
        grammar_named(name)
    assert f"grammar '{name}' of the package some-lab-grammars 1.2" in str(error.value)


async def test_one_that_fails_later_ends_the_sample_and_is_named(broken, server):
    given = await ask(server, Conversation([text(ANSWER)]), "chat", grammar="moody")
    assert given.outcome is Outcome.INTERNAL
    assert "grammar 'moody' of the package some-lab-grammars 1.2 fails: KeyError: 'twenty'" in given.detail


def test_a_name_that_two_packages_offer_is_refused(tmp_path):
    written(tmp_path, "one-lab", GRAMMARS.group, {"plain": "one:Plain", "mine": "one:Plain"}, one=BROKEN)
    written(tmp_path, "other-lab", GRAMMARS.group, {"mine": "other:Plain"}, other=BROKEN)
    with plugged_in(tmp_path):
        with pytest.raises(ConfigError, match=r"'mine' is offered by two packages, one-lab 1\.2 and other-lab 1\.2"):
            grammar_named("mine")
        with pytest.raises(ConfigError, match=r"'plain' is offered by two packages, medvision-agent .* and one-lab"):
            grammar_named("plain")
