"""No garbage is collected while modules are imported, and afterwards as before."""

import gc

import pytest

from medvision_agent.uncollected import uncollected


@pytest.fixture(autouse=True)
def thawed():
    gc.unfreeze()  # what was collected by pytest
    yield
    gc.freeze()


def test_nothing_is_collected_within_and_what_is_there_stays():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_an_error_within_ends_it_too():
    with pytest.raises(ImportError), uncollected():
        raise ImportError
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
