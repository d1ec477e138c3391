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
