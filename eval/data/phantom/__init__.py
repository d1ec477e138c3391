"""Phantoms: synthetic images with exactly known ground truth, to calibrate tools and statistics (not a benchmark).

A phantom shows one elliptical lesion and four small markers (a bright and a dark disc, a bright and a dark cross) in
smoothly textured, noisy tissue. What is drawn from which distribution stands in ``eval/data/phantom/geometry.py``; it
was fixed before any tool or policy was run on it, and is not tuned to any.

Results on phantoms show whether a tool measures correctly what it finds, whether axes, frames and millimetres
are kept apart (one third of the pixels are not square), and whether a statistic finds a difference that is there.
They show nothing about anatomy, real lesions (irregular, ill-defined, among look-alikes, blurred by a scanner),
or a model's skill on medical images. They favour methods that look for ellipses by their grey levels.

A phantom follows from its seed and index alone, for any number of phantoms: a longer set begins with the
shorter one. Random bits are those of PCG64 seeded through SeedSequence, which NumPy keeps the same on all platforms
and in all versions; everything else is made of them here. Drawn quantities and ground truth are rounded, and the image
has whole grey levels, so that the last bits of sine or power, which may differ between machines, do not show.
"""
