"""Phantoms: synthetic images with exactly known truth, for calibrating tools and statistics (never a benchmark).

What one shows: one elliptical lesion and four small markers (a bright and a dark disc, a bright and a dark cross) in
smoothly textured, noisy tissue. What is drawn from which distribution stands in ``eval/data/phantom/geometry.py``; it
was set down before any tool or policy was run on it, and is not tuned to any.

What follows from results on them: whether a tool measures right what it finds, whether axes, frames and millimetres
are kept apart (one third of the pixels are not square), and whether a statistic finds a difference that is there.
What does not: anything about anatomy, real lesions (irregular, ill-defined, among look-alikes, blurred by a scanner),
or a model's skill on medical images. A method that looks for ellipses by their grey levels is at home here.

Seed and index of a phantom make all of it, whatever the number of phantoms asked for: a longer set begins with the
shorter one. Random bits are those of PCG64 seeded through SeedSequence, which NumPy keeps the same on all platforms
and in all versions; everything else is made of them here. Drawn quantities and truth are rounded, and the picture
has whole grey levels, so that the last bits of sine or power, which may differ between machines, do not show.
"""
