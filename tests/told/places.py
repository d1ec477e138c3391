"""Where the sentences of comparisons are made; those of cards are in ``test_sentences_of_cards.py``."""

PLACES = {
    "eval/findings/headline.py": (),
    "eval/findings/alone.py": (),
    "eval/findings/rows.py": ("_reason",),
    "eval/findings/said.py": ("where",),
    "eval/findings/caveats.py": (),
    "eval/findings/doubted.py": (),
    "eval/findings/stated.py": (),
    "eval/findings/shown.py": (),
    "eval/report/words.py": (),
    "eval/report/place_tables.py": ("place_sentences", "_where", "_gained"),
    "eval/report/parts_tables.py": ("parts_sentences",),
    "eval/report/deciding.py": ("decision_sentences",),
    "eval/report/reading_tables.py": ("reading_sentences", "_said"),
    "eval/findings/readings.py": ("_unread",),
    "eval/report/spread.py": ("noise_sentences", "_parts"),
    "eval/parts/compare.py": ("parts_sentence", "_figure"),
    "eval/compare/statistics/estimate.py": ("estimate", "too_few"),
    "eval/compare/statistics/informative.py": ("warning", "_words"),
    "eval/compare/statistics/family.py": ("_test",),
    "eval/summary/claims.py": (
        "_never_called",
        "_unread_calls",
        "_told_truth",
        "no_claim_line",
        "no_verdict_line",
        "unfinished",
    ),
    "eval/summary/compute.py": (),
    "eval/study/progress.py": ("Progress",),
}
"""Where sentences are made: all functions of a file, or those named. For cards: ``test_sentences_of_cards.py``."""
