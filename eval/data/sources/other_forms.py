"""What to give instead where ``--data`` names a file or folder that is not a list of samples."""

from pathlib import Path

__all__ = ["is_dicom", "remedy_for"]

_ALONE = ", which alone does not say what is asked"
_DICOM = f"is a DICOM file{_ALONE}"
_KINDS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"), f"is an image{_ALONE}"),
    **dict.fromkeys((".nii", ".nii.gz"), f"is a volume{_ALONE}"),
    **dict.fromkeys((".dcm", ".dicom", ".ima"), _DICOM),
    **dict.fromkeys((".csv", ".tsv", ".xlsx"), "is a table, not a list of samples"),
    ".json": "is a JSON file, not JSON Lines with one sample per line (.jsonl)",
}
_FORM = (
    "To make samples of images with masks, markups, a table or COCO boxes: medvision-agent data import "
    "(docs/import.md). Or write a file samples.jsonl beside the images, with one JSON object per line that has "
    '"image" (a PNG file or a NIfTI volume), "pixel_size" in mm, the question and its ground truth, and give that '
    'file (docs/data.md, "Your own samples")'
)


def remedy_for(path: Path) -> str:
    """Return the end of a message: what the existing file or folder *path* is, and what to give instead.

    Empty where its kind is not known here.
    """
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
