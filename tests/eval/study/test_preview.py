"""What a preview says of the smallest difference: nothing without a pilot, and no claim on synthetic images."""

from click.testing import CliRunner

from medvision_agent.cli.main import cli


def invoke(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def detected(output, task):
    return [line for line in output.splitlines() if line.startswith(f"  {task}: ")]


def study(tmp_path, data):
    file = tmp_path / "s.yaml"
    file.write_text(f"name: s\nmodels: [baseline-cv]\ndata: {data}\ntasks: [size, detection]\ndesigns: [on-off]\n")
    return file


def test_made_pictures_are_not_tested_and_the_preview_says_so(tmp_path):
    out = invoke("ablate", study(tmp_path, "phantom:25:3"), "--dry-run", "--verbose")
    (line,) = detected(out, "size")
    assert line.endswith("but no claim would be made: synthetic data have intervals, no p-values")
    assert "family of 2 tests" in out
    assert "at a primary test's share of it" in line
    file = study(tmp_path, "phantom:25:3")
    file.write_text(file.read_text().replace("on-off", "must-use"))
    (line,) = detected(invoke("ablate", file, "--dry-run", "--verbose"), "size")
    assert "at each test's share of it" in line


def test_what_a_pilot_does_not_tell_is_assumed(tmp_path):
    pilot = ("run", "--model", "baseline-cv", "--data", "phantom:3:3", "--tools", "off", "--task", "size")
    words = [word for name in ("a", "b") for word in ("--pilot", tmp_path / name)]
    for name in ("a", "b"):  # the same twice: no spread at all
        invoke(*pilot, "--out", tmp_path / name)
    file = study(tmp_path, "phantom:25:3")
    file.write_text(file.read_text().replace("[size, detection]", "[size]"))
    (line,) = detected(invoke("ablate", file, "--dry-run", "--verbose", *words), "size")
    assert " sd at the whole level" in line
    assert "0.000 in loss" not in line
    assert "icc 0.00 assumed" in line
