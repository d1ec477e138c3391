"""A run on a network file system is warned about; it is not refused."""

import pytest
from click.testing import CliRunner

from medvision_agent.api import asking
from medvision_agent.cli.main import cli
from medvision_agent.eval.store.mounts import network_warning

LINES = r"""
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/me/local ext4 rw 0 0
//server/share /mnt/with\040space cifs rw 0 0
me@server: /mnt/ssh fuse.sshfs rw 0 0
drive /mnt/usb fuseblk rw 0 0
"""


@pytest.fixture
def mounts(tmp_path):
    path = tmp_path / "mounts"
    path.write_text(LINES)
    return path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me/run", "nfs4"),
        ("/home/me/local/run", None),
        ("/homes/run", None),
        ("/mnt/with space/run", "cifs"),
        ("/mnt/ssh", "fuse.sshfs"),
        ("/mnt/usb/run", None),
        ("/srv/run", None),
    ],
)
def test_the_file_system_of_the_nearest_mount_counts(tmp_path, mounts, folder, kind):
    warning = network_warning(tmp_path.__class__(folder), mounts)
    assert (warning is None) == (kind is None)
    assert warning is None or f"network file system ({kind})" in warning


def test_where_nothing_is_known_nothing_is_said(tmp_path):
    assert network_warning(tmp_path, tmp_path / "none") is None


def test_a_run_is_warned_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "network_warning", lambda folder: f"{folder} lies on a network file system (nfs)")
    out = tmp_path / "run"
    done = CliRunner().invoke(cli, ["run", "--model", "baseline-prior", "--limit", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"{out} lies on a network file system (nfs)\n" in done.stderr
