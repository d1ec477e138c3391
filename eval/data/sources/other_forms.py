"""What to give instead where ``--data`` names a file or folder that is not a list of samples."""

from pathlib import Path

__all__ = ["is_dicom", "remedy_for"]

_DICOM = "is DICOM, which is not read directly"
_KINDS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"), "is an image"),
    **dict.fromkeys((".nii", ".nii.gz"), "is a volume"),
    **dict.fromkeys((".dcm", ".dicom", ".ima"), _DICOM),
    **dict.fromkeys((".csv", ".tsv", ".xlsx"), "is a table"),
    ".json": "is JSON, but not one sample per line",
}
_FORM = (
    "Images do not say what is asked: `medvision-agent data import` makes samples of them with masks, markups or a "
    'table (docs/import.md). Or write a file samples.jsonl beside them, one JSON object per line with "image" (a '
    'PNG file or a NIfTI volume), "pixel_size" in mm, the question and its ground truth, and give that file '
    '(docs/data.md, "Your own samples")'
)


def remedy_for(path: Path) -> str:
    """Return what to give instead of an existing folder or file; empty where its kind is not known here."""
    if path.is_dir():
        return _of_folder(path)
    name = path.name.lower()
    kind = next((kind for suffix, kind in _KINDS.items() if name.endswith(suffix)), "")
    kind = kind or (_DICOM if is_dicom(path) else "")
    return f"{kind}. {_FORM}" if kind else ""


def _of_folder(folder: Path) -> str:
    for name in ("samples.jsonl", "samples.parquet"):
        if (folder / name).is_file():
            return f"is a folder; give the list of samples in it: --data {folder / name}"
    for data in (folder, folder / "Data"):
        if (data / "Datasets").is_dir():
            return f"is a folder of MedVision's data; give --data medvision:{data}"
    return f"is a folder without a samples.jsonl. {_FORM}"


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM, by the letters ``DICM`` after its first 128 bytes; its name does not matter."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False
