"""A fake provider with eyes: it answers ``models check`` by looking at the pictures it gets."""

import json
import re

import numpy as np

from fake import wires
from fake.replies import Reply, calls, text
from fake.server import FakeServer, Request
from medvision_agent.agent.check import CELL, digits_picture
from medvision_agent.tools.view.png import decode_png

IN_TEXT = '```tool_call\n{"name": "unfold", "arguments": {}}\n```'
"""How a model calls that is offered its tools in the text."""
LAYS_A_RULER = IN_TEXT.replace("unfold", "ruler").replace("{}", '{"x0": 0.3, "y0": 0.5, "x1": 0.6, "y1": 0.5}')


def digits_in(png: bytes) -> str:
    """Read a picture of digits, as a model with eyes would."""
    picture, width = decode_png(png), CELL[1]
    cells = [picture[:, start : start + width] for start in range(0, picture.shape[1], width)]
    known = {digit: digits_picture(digit) for digit in "0123456789"}
    return "".join(next(digit for digit, drawn in known.items() if np.array_equal(drawn, cell)) for cell in cells)


class Eyes(FakeServer):
    """Answers what it is asked by looking at the pictures; ``lacks`` says what it cannot do."""

    def __init__(self) -> None:
        super().__init__()
        self.lacks = ""

    def _next(self, request: Request) -> Reply:
        said = json.dumps(request.body)
        usage = None if self.lacks == "usage" else {"input": 100, "output": 10, "reasoning": 0, "cached": 0}
        if "Count from 1" in said:
            long = {"input": 20, "output": 200 if self.lacks == "limits" else 16, "reasoning": 0, "cached": 0}
            finish = {"gemini": "MAX_TOKENS", "chat": "length", "responses": "max_output_tokens"}[request.wire]
            return text("one two three", usage=usage and long, finish=None if self.lacks == "limits" else finish)
        pictures = [] if self.lacks == "eyes" else request.pictures
        if "Call the tool unfold" not in said:
            return text(digits_in(pictures[-1]) if pictures else "I see a heart.", usage=usage)
        code = re.search(r"code\W+(\d{4})", said)
        if code is None:
            if self.lacks == "tools":
                return text("I would rather not.", usage=usage)
            return calls(("unfold", {})) if request.body.get("tools") else text(IN_TEXT, usage=usage)
        shown = digits_in(pictures[-1]) if len(pictures) > 1 and self.lacks != "tool pictures" else "nothing"
        return text(f"{code[1]} {shown}", usage=usage)


class Measuring(Eyes):
    """The same, and a model that answers samples: it lays one ruler, as text, and then states a length."""

    def _next(self, request: Request) -> Reply:
        if "<answer>" not in json.dumps(request.body):
            return super()._next(request)
        usage = {"input": 900, "output": 30, "reasoning": 0, "cached": 0}
        if wires.turns(request.wire, request.body) == 0 and "tool_call" in json.dumps(request.body):
            return text(LAYS_A_RULER, usage=usage)
        return text("<answer>40.0, 20.0, 60.0, 30.0</answer>", usage=usage)
