"""Folders of shards on machines that do not see the run."""

import os
import tempfile
import time

from medvision_agent.eval.engines import cluster


def test_what_killed_workers_left_behind_long_ago_is_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, fresh, others = (tmp_path / name for name in ("medvision-agent-shards-1", "medvision-agent-shards-2", "else"))
    for folder in (old, fresh, others):
        (folder / "w").mkdir(parents=True)
    for folder in (old, others):
        os.utime(folder, (time.time() - 25 * 3600,) * 2)
    made = cluster._scratch()
    assert sorted(tmp_path.iterdir()) == sorted([fresh, others, made])
