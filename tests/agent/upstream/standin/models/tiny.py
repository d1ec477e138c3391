"""A model that says what it was asked."""

import json
import threading

from lmms_eval.api.model import lmms
from lmms_eval.api.registry import register_model

_BUSY = threading.Lock()


@register_model("tiny")
class Tiny(lmms):
    """Answers with the image's size and grey level, the settings and the text, as JSON, and then a number."""

    def __init__(self, number: float = 10.0, fails: bool = False) -> None:
        super().__init__()
        if number is None:
            raise ValueError("number is missing")
        self.number, self.fails = number, fails

    def generate_until(self, requests):
        assert _BUSY.acquire(blocking=False), "two requests at once"
        try:
            return [self._answer(*request.args) for request in requests]
        finally:
            _BUSY.release()

    def _answer(self, text, settings, doc_to_visual, doc_id, task, split):
        if self.fails:
            raise RuntimeError("out of memory")
        (image,) = doc_to_visual(self.task_dict[task][split][doc_id])
        seen = {"size": image.size, "grey": image.getpixel((1, 1)), "settings": settings, "text": text.replace("<", "")}
        return f"{json.dumps(seen)}\n<answer>{self.number}</answer>"

    def loglikelihood(self, requests):
        raise NotImplementedError

    def generate_until_multi_round(self, requests):
        raise NotImplementedError
