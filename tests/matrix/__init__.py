"""Standing matrices: what is done to the program by the hundred, and what has to come of it. All counts are zero.

    make matrix                            # everything; writes docs/reliability.md
    python -m matrix --seed 1 --sample     # a small part, printed
    python -m matrix --only kills --share 0.1 --rows rows.json      # in parts (``__main__.py``)

Each file tries one kind of thing and returns rows (``row.py``): how often it was tried, and how often a finished sample
was lost, asked again or changed, a fault got the wrong class, or an end took longer than its bound. Children are real
processes (``children.py``); what happens inside them at a named point is arranged by ``hooks.py`` without any change
to the program.
"""
