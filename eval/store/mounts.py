"""Whether a folder lies on a network file system, where SQLite's locks and flushes may not hold."""

import re
from pathlib import Path

__all__ = ["network_warning"]

MOUNTS = Path("/proc/self/mounts")
_NETWORK = re.compile(
    r"(nfs\d?|cifs|smb\d?|smbfs|ncpfs|9p|afs|ceph|lustre|gpfs|glusterfs|beegfs|orangefs|pvfs2|davfs)"
    r"|fuse\.(sshfs|glusterfs|ceph|s3fs|rclone|davfs2?|gcsfuse|mountpoint-s3|smbnetfs|juicefs)"
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def network_warning(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """Return a warning for a user who writes a run to this folder, or None if the file system is local or unknown.

    On Linux, *mounts* states the file system of a folder; on other systems it is unknown.
    """
    kind = _file_system(folder.absolute(), mounts)
    if kind is None or not _NETWORK.fullmatch(kind):
        return None
    return (
        f"{folder} lies on a network file system ({kind}): file locks may not work and written data may be lost "
        "there, so a crash or a second writer can damage the run. Prefer a local disk, and copy the folder when the "
        "run has ended"
    )


def _file_system(folder: Path, mounts: Path) -> str | None:
    """Return the type of the file system of *folder*, which need not exist yet; None if *mounts* does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    folder, found, depth = folder.resolve(), None, 0
    for place, kind in (line.split(" ")[1:3] for line in lines if line.count(" ") >= 2):
        mounted = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), place))
        if folder.is_relative_to(mounted) and len(mounted.parts) >= depth:  # of two mounts at one place, the later one
            found, depth = kind, len(mounted.parts)
    return found
