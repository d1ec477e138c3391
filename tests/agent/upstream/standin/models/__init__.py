"""A plug-in of upstream's evaluator: one tiny model of its interface."""

AVAILABLE_MODELS = {"tiny": "Tiny", "broken": "Broken"}
