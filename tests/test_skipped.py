"""Imports without an optional part that is never used."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

from medvision_agent.skipped import skipped

OPENED = """
import asyncio, sys
from medvision_agent.agent.models import OpenAI
from medvision_agent.agent.providers.factory import open_model

async def opened():
    url = "http://127.0.0.1:1/v1"
    row = OpenAI(provider="openai", model="m", base_url=url, perceived={"rule": "native"}, api_key_env=None)
    async with open_model(row):
        print(sorted(name for name in ("aiohttp", "openai", "openai._vendor.httpx_aiohttp") if name in sys.modules))

asyncio.run(opened())
"""

REFUSED = """
import sys
from medvision_agent.cli.main import main

try:
    main()
except SystemExit:
    print(sorted({"langgraph", *%r} & set(sys.modules)))
"""
UNUSED = ("curses", "httpx._main", "medvision_agent.agent.policies.policy", "psutil", "pygments", "rich", "tornado")
"""What no run needs before its first sample where no bar is drawn: 5 MB, where all of it is installed."""


def test_a_module_is_skipped_within_the_context_alone():
    sys.modules.pop("colorsys", None)
    with skipped("colorsys"), pytest.raises(ImportError):
        import_module("colorsys")
    assert import_module("colorsys") is sys.modules["colorsys"]


def test_a_module_that_was_imported_before_stays():
    with skipped("json"):
        assert import_module("json") is json


def test_a_model_of_openais_interface_is_opened_without_the_other_client():
    """``aiohttp`` is installed, because ``datasets`` requires it, and takes 7 MB."""
    done = subprocess.run([sys.executable, "-c", OPENED], capture_output=True, text=True, check=False)
    assert done.stdout == "['openai']\n", done.stderr[-2000:]


@pytest.mark.parametrize("words", [("run", "--model", "no"), ("rerun", "no", "--out", "new"), ("ablate", "study.yaml")])
def test_a_command_that_asks_imports_no_part_that_it_never_uses(words, tmp_path):
    (tmp_path / "study.yaml").write_text("[]", encoding="utf-8")
    code = [sys.executable, "-c", REFUSED % (UNUSED,), *words]
    done = subprocess.run(code, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "['langgraph']\n", done.stderr[-2000:]


def test_what_a_command_does_not_import_can_be_imported_by_tools():
    lean = "import sys; from medvision_agent.cli.lean import import_lean; import_lean()"
    code = f"{lean}; print(any(value is None for value in sys.modules.values()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr[-2000:]
