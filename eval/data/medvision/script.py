"""What to say where MedVision's Hugging Face loading script is asked for: it is not run here, and two ways out.

The script needs ``datasets`` 3.6.0 (version 4 removed loading scripts), and it is downloaded code.
"""

from importlib.metadata import version

__all__ = ["is_script", "script_message"]

REPOSITORY = "YongchengYAO/MedVision"


def is_script(name: str) -> bool:
    """Return whether *name* asks for a repository of Hugging Face or a loading script."""
    return name.startswith("hf:") or name.endswith(".py") or name.lower() == REPOSITORY.lower()


def script_message(name: str) -> str:
    """Return the error: why it cannot be read here, and the commands that fetch the data."""
    pins = "export MedVision_DATA_DIR=$PWD/Data MedVision_PLANNER_VERSION=1.0.0 MedVision_ACK_RELEASE=1.4.0"
    load = f"load_dataset('{REPOSITORY}', name='KiPA22_TumorLesionSize_Task01_Axial_Test', trust_remote_code=True,"
    return f"""--data {name}: medvision-agent does not run MedVision's loading script, which needs datasets==3.6.0 \
(installed here: datasets {version("datasets")}). Fetch the data in an environment of its own, either way:
1. with upstream's downloader, which brings datasets 3.6.0 and torch (TASKS.json: one of upstream's task lists):
     python3.11 -m venv medvision-env && medvision-env/bin/pip install medvision-bm==1.2.1
     {pins}
     medvision-env/bin/python -m medvision_bm.benchmark.download_datasets --tasks_json TASKS.json --data_dir Data
2. with the script itself, here exporting one configuration's rows too:
     python3.11 -m venv datasets-env && datasets-env/bin/pip install datasets==3.6.0 huggingface_hub==0.36.0
     {pins}
     datasets-env/bin/python -c "from datasets import load_dataset; \
{load} split='test').to_parquet('rows.parquet')"
Both leave plans and volumes in Data; then read them here with: --data medvision:Data"""
