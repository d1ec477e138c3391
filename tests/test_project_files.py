"""Files about the project: their versions, targets, files and links are there."""

import re
from pathlib import Path

import pytest
import yaml

from medvision_agent.version import VERSION

ROOT = Path(__file__).parents[1]
PAGES = ("llms.txt", "SECURITY.md", "CONTRIBUTING.md", "docs/agents.md", "docs/sharing.md", "docs/releasing.md")
PAGES += tuple(f"docs/decided/{file.name}" for file in sorted((ROOT / "docs/decided").glob("*.md")))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    file = ROOT / page
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert local or page.startswith("docs/decided/0")
    assert [link for link in local if not (file.parent / link).exists()] == []


def test_every_decision_is_listed_with_its_title():
    folder = ROOT / "docs/decided"
    listed = re.findall(r"\| (\d+) \| \[(.+)\]\((.+)\) \|", (folder / "README.md").read_text(encoding="utf-8"))
    assert [name for _, _, name in listed] == sorted(file.name for file in folder.glob("0*.md"))
    for number, title, name in listed:
        assert (folder / name).read_text(encoding="utf-8").startswith(f"# {number}. {title}\n")


def test_the_citation_is_of_this_version_and_names_no_person():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["cff-version"], cited["version"], cited["license"]) == ("1.2.0", VERSION, "Apache-2.0")
    assert cited["authors"] == [{"name": "medvision-agent contributors"}]


def test_hooks_and_pages_name_targets_of_the_makefile():
    targets = set(
        re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    targets = {name for line in targets for name in line.split()}
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    entries = [hook["entry"].split() for hook in hooks]
    assert all(words[0] == "make" or words[:3] == ["python", "-m", "ruff"] for words in entries)
    named = {words[1] for words in entries if words[0] == "make"}
    named |= set(re.findall(r"`make ([a-z-]+)", "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)))
    assert named <= targets
    assert {"lowest", "newest", "types", "imports", "viewer"} <= named


@pytest.mark.parametrize("file", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda file: file.name)
def test_issue_forms_are_forms(file):
    form = yaml.safe_load(file.read_text(encoding="utf-8"))
    if file.name == "config.yml":
        return
    assert {"name", "description", "body"} <= form.keys()
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
