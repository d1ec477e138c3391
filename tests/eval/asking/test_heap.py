"""The garbage collector while samples are asked."""

import gc

from medvision_agent.eval.asking.heap import settled_heap


def test_what_was_there_is_left_out_until_the_end():
    gc.unfreeze()  # what pytest collected, and what commands left that ran in this process
    with settled_heap():
        assert gc.get_freeze_count() > 1000
        with settled_heap():  # one more run inside, such as in another thread
            pass
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0
    gc.freeze()
