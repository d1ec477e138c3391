"""The recipes of examples/cluster: they parse, and what they call is what the command line takes."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from medvision_agent.cli.main import cli

FOLDER = Path(__file__).parent.parent / "examples" / "cluster"
JOB = {
    "SLURM_JOB_ID": "123456",
    "SLURM_CPUS_PER_TASK": "8",
    "SLURM_JOB_NUM_NODES": "4",
    "SLURMD_NODENAME": "node7",  # `hostname` may print another name: "node7.site.org"
}
PYTHON = """case "$2" in
    *get_node_ip_address*) echo 10.0.0.7;;
    *token_hex*) echo 5ec2e7;;
    *) until [ "$(wc -l < "$SAID")" = 2 ]; do :; done; exit $JOINED;;  # both stand-ins for srun were called
esac"""
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def taken(words: list[str]) -> dict[str, object]:
    """Return what the command line makes of the words of a command; raises click's UsageError."""
    assert words[0] == "medvision-agent"
    command = cli.get_command(click.Context(cli), words[1])
    assert command is not None
    return command.make_context(words[1], words[2:]).params


def stub(folder: Path, name: str, line: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def submitted(folder: Path, joined: int, srun: str) -> tuple[int, list[list[str]]]:
    """Run the script with stand-ins; return its exit code, and the words of each call of srun and of the command.

    *joined* is the exit code of the question whether all nodes have joined; *srun* says how that stand-in ends.
    """
    said = folder / "said"
    said.touch()
    say = 'printf "%s\\n" "$RAY_AUTH_MODE $RAY_AUTH_TOKEN $(printf "%q " "${0##*/}" "$@")" >> "$SAID"'
    stub(folder, "srun", f"{say}; {srun}")
    stub(folder, "medvision-agent", f"{say}; exit 3")
    stub(folder, "python", PYTHON)
    stub(folder, "sleep", "exit 0")
    environ = os.environ | JOB | {"PATH": f"{folder}:{os.environ['PATH']}", "JOINED": str(joined), "SAID": str(said)}
    script = ("bash", FOLDER / "slurm.sbatch", "study.yaml", "out dir")
    done = subprocess.run(script, env=environ, timeout=60, check=False)
    lines = said.read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("token 5ec2e7 ") for line in lines), "all know the token of the job"
    return done.returncode, [shlex.split(line)[2:] for line in lines]


@needs_bash
def test_the_slurm_script_starts_ray_everywhere_and_calls_the_command(tmp_path):
    code, said = submitted(tmp_path, 0, "exit 0")
    assert code == 3, "the exit code is that of the command"
    (command,) = [words for words in said if words[0] == "medvision-agent"]
    head, others = sorted((words for words in said if words[0] == "srun"), key=lambda words: "--head" not in words)
    options = taken(command)
    assert (options["engine"], options["address"], options["processes"]) == ("ray", "10.0.0.7:23456", 30)
    assert options["out"] == Path("out dir")
    assert {"--head", "--node-ip-address=10.0.0.7", "--port=23456", "--num-cpus=6", "--nodelist=node7"} <= set(head)
    assert {"--address=10.0.0.7:23456", "--num-cpus=8", "--nodes=3", "--exclude=node7"} <= set(others)
    assert all("--cpus-per-task=8" in words for words in (head, others))


@needs_bash
def test_the_slurm_script_ends_where_ray_does_not_start(tmp_path):
    code, said = submitted(tmp_path, 1, "exit 1")
    assert code == 2
    assert "medvision-agent" not in [words[0] for words in said]


def test_the_job_of_kubernetes_has_a_core_for_each_worker_and_the_keys_and_the_data_everywhere():
    parts = list(yaml.safe_load_all((FOLDER / "kuberay.yaml").read_text(encoding="utf-8")))
    job = parts.pop()["spec"]
    claims = {part["metadata"]["name"] for part in parts}
    cluster = job["rayClusterSpec"]
    head, (group,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    pods = [one["template"]["spec"] for one in (head, group)]
    options = taken(shlex.split(job["entrypoint"]))
    cores = group["replicas"] * int(pods[1]["containers"][0]["resources"]["limits"]["cpu"])
    assert (options["engine"], options["address"], options["processes"]) == ("ray", "auto", cores)
    assert head["rayStartParams"]["num-cpus"] == "0"
    for pod in pods:
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "model-keys"}}]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
        assert (mounts["data"], mounts["study"]) == ("/data", "/study")
        used = {volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if "configMap" not in volume}
        assert used <= claims
    assert str(options["out"]).startswith("/runs/")
    assert "runs" not in {volume["name"] for volume in pods[1]["volumes"]}, "only the command stores"


def test_the_image_has_the_ray_of_the_job():
    version = yaml.safe_load((FOLDER / "kuberay.yaml").read_text(encoding="utf-8").split("---")[-1])
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert f"rayproject/ray:{version['spec']['rayClusterSpec']['rayVersion']}-py" in image
