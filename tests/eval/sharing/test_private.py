"""What is private leaves this machine in no text: folders, homes, keys, logins."""

from pathlib import Path

import pytest

from medvision_agent.eval.sharing.private import Private, without_addresses


@pytest.fixture
def private(tmp_path):
    environment = {"SOME_API_KEY": "a-key-of-this-test-0123", "HF_TOKEN": "short", "PATH": "/usr/bin:/bin/and/more"}
    return Private([tmp_path / "studies" / "one"], [str(tmp_path / "cases" / "list.jsonl")], environment)


def test_folders_of_runs_and_of_data_are_called_by_their_last_part(private, tmp_path):
    text = f"{tmp_path}/studies/one/run.sqlite and {tmp_path}/cases/list.jsonl"
    assert private.left_out_of(text) == "one/run.sqlite and list.jsonl"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key a-key-of-this-test-0123!", "key [redacted]!"),
        ("http://me:hidden@10.0.0.1:80/v1 failed", "http://[redacted]@10.0.0.1:80/v1 failed"),
        ("https://token@host/x", "https://[redacted]@host/x"),
        ("sk-abcdefghijklmnop1234", "[redacted]"),
        ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer [redacted]"),
        ("in /home/jane/data/x.nii", "in ~/data/x.nii"),
        ("in /Users/jane/x", "in ~/x"),
        (r"in C:\Users\jane\x", r"in ~\x"),
        (r'{"path": "C:\\Users\\jane\\x"}', r'{"path": "~\\x"}'),
        ("short words and /usr/bin stay; a@b.org too", "short words and /usr/bin stay; a@b.org too"),
        ("3/4 of https://example.org/home/page", "3/4 of https://example.org/home/page"),
    ],
)
def test_private_words_are_left_out_and_others_stay(private, text, clean):
    assert private.left_out_of(text) == clean


def test_the_home_of_the_user_is_left_out(private):
    assert private.left_out_of(f"see {Path.home()}/x") == "see ~/x"
    assert private.left_out_of(f"see /some{Path.home()}/x").startswith("see /some")


def test_settings_of_a_model_say_nothing_of_its_server():
    row = {
        "provider": "langchain",
        "model": "m",
        "base_url": "http://10.1.2.3/v1",
        "seed": 3,
        "settings": {
            "temperature": 0.0,
            "azure_endpoint": "lab.example",
            "ollama": {"host": "10.1.2.3:11434", "keep_alive": 5},
            "servers": ["https://10.1.2.3"],
            "default_headers": {"Referer": "see http://10.1.2.3"},
        },
    }
    found = without_addresses(row)
    assert found == {
        "provider": "langchain",
        "model": "m",
        "seed": 3,
        "settings": {"temperature": 0.0, "ollama": {"keep_alive": 5}, "servers": [], "default_headers": {}},
    }
