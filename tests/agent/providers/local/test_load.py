"""What can be wrong before a model answers: the hub, the folder, the machine. One line each, never a traceback."""

import contextlib
import json
import shutil

import pytest

pytest.importorskip("torch", reason="needs the `local` extra: pip install -e '.[local]'")
pytest.importorskip("transformers", reason="needs the `local` extra: pip install -e '.[local]'")

import torch
from aiohttp import web
from fake.local import ask, engine_of, force, question
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models.checkpoint import fingerprint, parameter_bytes
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.providers.local import load as loading
from medvision_agent.agent.retry import RequestFailed
from medvision_agent.errors import ConfigError, MedVisionAgentError, ProviderError


async def refused(config, kind=MedVisionAgentError):
    with pytest.raises(kind) as caught:
        async with open_model(config):
            pytest.fail("opened")
    message = str(caught.value)
    assert "\n" not in message
    assert config.model in message
    return message


@contextlib.asynccontextmanager
async def hub(status, code, monkeypatch, tmp_path):
    """Stand in for the hub: every request is answered with one status and the hub's own error code."""

    async def answer(request):
        return web.json_response({"error": "no"}, status=status, headers={"X-Error-Code": code})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "GatedRepo", ("gives access only after a login", "huggingface.co/nobody/model", "HF_TOKEN")),
        (404, "RepoNotFound", ("neither an existing folder nor a model of the Hugging Face hub",)),
        (401, "RepoNotFound", ("needs a login",)),
        (404, "RevisionNotFound", ("no such revision",)),
        (500, "", ("nobody/model",)),
    ],
)
async def test_what_the_hub_refuses(row, monkeypatch, tmp_path, status, code, words):
    config = row("gemma3").model_copy(update={"model": "nobody/model", "revision": "main"})
    async with hub(status, code, monkeypatch, tmp_path):
        message = await refused(config, ProviderError)
    for word in words:
        assert word in message


async def test_a_hub_that_cannot_be_reached(row, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    config = row("gemma3").model_copy(update={"model": "nobody/model"})
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in await refused(config, ProviderError)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "cannot be reached" in await refused(config, ProviderError)


async def test_names_that_are_no_model(row):
    for name in ("./nothing", "/nothing/here", "a/b/c", "not a name"):
        assert "no" in await refused(row("gemma3").model_copy(update={"model": name}), ConfigError)
    assert "revision" in await refused(row("gemma3", revision="main"), ConfigError)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", None),
        ("config.json", b"{"),
        ("config.json", b'{"model_type": "unheard-of"}'),
        ("config.json", b'{"model_type": "llama"}'),
        ("processor_config.json", None),
        ("processor_config.json", b"[]"),
        ("tokenizer.json", b"{}"),
        ("model.safetensors", None),
        ("model.safetensors", b"PK\x03\x04 no weights"),
    ],
)
async def test_broken_checkpoints(row, checkpoint, tmp_path, file, content):
    folder = shutil.copytree(checkpoint("gemma3"), tmp_path / "broken")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    await refused(row("gemma3", model=str(folder), tool_calling="text"), ConfigError)


async def test_cut_off_weights(row, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gemma3"), tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    await refused(row("gemma3", model=str(folder), tool_calling="text"), ConfigError)


async def test_weights_that_lack_a_tensor(row, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gemma3"), tmp_path / "lacking")
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if "q_proj" in name)
    del tensors[name]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lack 1 tensor" in await refused(row("gemma3", model=str(folder), tool_calling="text"), ConfigError)


async def test_too_little_memory_is_said_before_loading(row, checkpoint, monkeypatch):
    size = (checkpoint("gemma3") / "model.safetensors").stat().st_size
    stored = parameter_bytes(checkpoint("gemma3"), None)
    assert size - 10_000 < stored < size
    assert parameter_bytes(checkpoint("gemma3"), 2) == stored // 2
    monkeypatch.setattr(loading, "free_memory", lambda device: stored - 1)
    message = await refused(row("gemma3", tool_calling="text"), ProviderError)
    assert "too little memory" in message
    assert "bfloat16" in message
    async with open_model(row("gemma3", tool_calling="text", dtype="bfloat16")) as chat:
        force(chat, "<answer>1</answer>")
        assert (await ask(chat, [question(chat)])).text == "<answer>1</answer>"
        assert engine_of(chat)._model.dtype == torch.bfloat16


async def test_memory_that_ends_while_loading_stops_the_run(row, monkeypatch):
    for error in (torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory")):

        def fail(*args, error=error, **settings):
            raise error

        monkeypatch.setattr(loading.transformers.AutoModelForImageTextToText, "from_pretrained", fail)
        assert "too little memory" in await refused(row("gemma3", tool_calling="text"), ProviderError)


async def test_memory_that_ends_while_generating_ends_the_sample(row, monkeypatch):
    async with open_model(row("gemma3-tools")) as chat:

        def fail(**settings):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

        generate = engine_of(chat)._model.generate
        monkeypatch.setattr(engine_of(chat)._model, "generate", fail)
        with pytest.raises(RequestFailed, match=r"ran out of memory .*2 GiB") as caught:
            await ask(chat, [question(chat)])
        assert caught.value.fault.outcome is Outcome.SERVER_ERROR
        assert caught.value.fault.outcome.infrastructure
        monkeypatch.setattr(engine_of(chat)._model, "generate", generate)
        force(chat, "<answer>1</answer>")
        assert (await ask(chat, [question(chat)])).text == "<answer>1</answer>"


async def test_a_fault_in_a_models_code_ends_the_sample_and_is_kept(row, monkeypatch):
    async with open_model(row("gemma3-tools")) as chat:

        def fail(**settings):
            raise IndexError("deep inside")

        monkeypatch.setattr(engine_of(chat)._model, "generate", fail)
        with pytest.raises(RequestFailed, match="IndexError: deep inside") as caught:
            await ask(chat, [question(chat)])
        assert caught.value.fault.outcome is Outcome.INTERNAL


async def test_a_device_that_is_not_there(row):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    assert "no CUDA device" in await refused(row("gemma3", device="cuda"), ConfigError)


def test_the_identity_of_a_folder_is_what_it_holds(row, checkpoint, tmp_path):
    config = row("gemma3")
    moved = shutil.copytree(checkpoint("gemma3"), tmp_path / "elsewhere")
    same = row("gemma3", model=str(moved))
    assert same.identity() == config.identity()
    assert str(tmp_path) not in json.dumps(same.identity())
    seen = {fingerprint(moved)}

    tensors = load_file(moved / "model.safetensors")
    name = max(tensors, key=lambda name: tensors[name].numel())
    tensors[name] = tensors[name] + 1e-4  # the slightest training of one tensor
    save_file(tensors, moved / "model.safetensors", metadata={"format": "pt"})
    seen.add(fingerprint(moved))
    for file in ("chat_template.jinja", "config.json", "generation_config.json", "tokenizer.json"):
        (moved / file).write_text((moved / file).read_text() + " ")
        seen.add(fingerprint(moved))
    assert len(seen) == 6
    (moved / "README.md").write_text("words")
    assert fingerprint(moved) in seen
    for change in ({"dtype": "bfloat16"}, {"max_output_tokens": 5}, {"batch_size": 2}, {"temperature": 1.0}):
        assert row("gemma3", **change).identity() != config.identity()
    assert row("gemma3", timeout_seconds=1).identity() == config.identity()
