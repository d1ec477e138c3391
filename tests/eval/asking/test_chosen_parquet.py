"""A run over a Parquet file that is resumed: its rows are not listed anew where none of their columns changed."""

import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet as files

import medvision_agent as mva
from medvision_agent.cli.main import cli
from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.sources import parquet
from medvision_agent.eval.store.read import open_run


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Return a file, a run of which only a part was asked, and what is on record of rows that are listed."""
    data = tmp_path / "samples.parquet"
    assert CliRunner().invoke(cli, ["data", "export", "--limit", "3", "--out", str(data)]).exit_code == 0
    settings = {"model": "baseline-cv", "data": str(data), "out": tmp_path / "run", "progress": False}
    assert mva.run(**settings, budget={"seconds": 1e-9}).left > 0
    listed, read = [], parquet._picture_sample
    monkeypatch.setattr(parquet, "_picture_sample", lambda *row: listed.append(1) or read(*row))
    return data, settings | {"resume": True}, listed


def changed(data, column, change):
    """Write the file anew with another column."""
    table = files.read_table(data)
    at = table.column_names.index(column)
    values = [change(value) for value in table.column(column).to_pylist()]
    files.write_table(table.set_column(at, column, pa.array(values, table.schema.field(column).type)), data)


def test_nothing_is_listed_where_nothing_changed_and_each_sample_has_its_picture(begun):
    _, settings, listed = begun
    before = open_run(settings["out"]).identity
    assert mva.run(**settings).left == 0
    assert listed == []
    after = open_run(settings["out"])
    assert list(before.differences(after.identity)) == []
    anew = settings["out"].with_name("anew")
    mva.run(**settings | {"out": anew, "resume": False})
    assert listed
    pictures = {one.sample.id: one.v0_sha256 for one in open_run(anew).records}
    assert {one.sample.id: one.v0_sha256 for one in after.records} == pictures


def test_rows_that_changed_are_refused(begun):
    data, settings, listed = begun
    changed(data, "subject", lambda subject: f"other {subject}")
    with pytest.raises(StorageError, match="samples_sha256"):
        mva.run(**settings)
    assert listed


def test_a_file_that_was_replaced_since_it_was_opened_is_not_known(begun):
    data, _, _ = begun
    source = parquet.ParquetSource(data)
    assert source.fingerprint() == parquet.ParquetSource(data).fingerprint() is not None
    changed(data, "subject", lambda subject: f"other {subject}")
    assert source.fingerprint() is None
    assert parquet.ParquetSource(data).fingerprint() is not None


def test_a_sample_of_another_source_is_refused(begun):
    data, _, _ = begun
    source = parquet.ParquetSource(data)
    with pytest.raises(DataError, match="no sample of this source has the id"):
        source.load(source.samples[0].but(id="another"))
