"""The forms in which the viewer's page gets its data: the contract between Python and the browser.

Contract: the page gets ``Index`` at ``index``, ``Rows`` at ``rows/<run>``, ``Talk`` at ``talks/<run>/<row>``,
``Reviews`` at ``reviews/<run>`` and pictures at ``pictures/<name>.png``. A server sends the values as JSON at
``data/<part>`` (``data/rows/r1?since=7``), and a ``Problem`` with the status where it has none; a ``Note`` is posted to
``data/reviews/<run>`` and answered with ``Reviews``. A bundle holds the same values in classic scripts,
``data/<part>.js``, each a call of ``medvision("<part>", value)``, because a page that was opened from disk may not
fetch; a server has no such scripts. Nor may such a page read the pixels of a file: the image of a ``Shown`` is in a
bundle a script, too, ``data/shown/<name>.js``, whose value is the PNG as a text (``data:image/png;base64,...``). Keys
of runs and studies (``r1``, ``s1``) and row numbers are made here; no text of a model or a server is ever part of a
path. A number that is not known is null.

The browser's types are generated from these models (``scripts/viewer_forms.py``), so that neither side changes alone.

Every point is (x, y) in pixels of ``Shown`` (x right, y down, the origin at the outer corner of the first pixel).
"""

from typing import Literal

from pydantic import Field

from medvision_agent.eval.store.reviews import Review, Verdict
from medvision_agent.frozen import Frozen

__all__ = ["Arm", "Call", "Effect", "Index", "Mark", "Means", "Note", "Number", "Problem", "Review", "Reviews", "Rows"]
__all__ += ["RunLine", "Scene", "Shown", "State", "StudyPage", "Talk", "Turn", "Words"]

XY = tuple[float, float]
State = Literal["running", "unfinished", "finished", "damaged"]
"""``unfinished``: samples are left, and nobody writes it now. ``damaged``: also what this version cannot read."""


class Means(Frozen):
    """What the scored samples of one task came to in one run."""

    task: str
    loss: float | None
    """Mean loss, 0 to 1; a failure costs 1."""
    success_rate: float | None
    """From 0 to 1."""
    scored: int
    subjects: int


class RunLine(Frozen):
    """One run, on the first page."""

    key: str
    name: str
    """Folder, relative to what was opened."""
    study: str | None
    """Key of the study it is a cell of."""
    arm: str
    """Name of the arm within its study; outside a study, the tool condition."""
    colour: str
    """Of its arm, as CSS has it, for a dark image: the same in the report and on every page."""
    epoch: int
    wording: int
    canary: bool
    model: str
    condition: str
    source: str
    """Without the folder of this machine (``eval/data/shared.py``)."""
    synthetic: bool
    planned: int
    done: int
    """Samples that are finished, infrastructure failures excluded."""
    infrastructure: int
    """Samples that were lost to infrastructure failures, as far as the run has come."""
    means: tuple[Means, ...]
    cost_usd: float | None
    state: State
    note: str
    """What is wrong with it, or how much of it has been read so far; else empty."""
    begun_at: str
    """ISO 8601, UTC; empty where unknown."""
    stamp: int
    """Grows whenever a row changes, and until a long run is read to its end: the page then asks for rows again."""


class Arm(Frozen):
    """One arm of a study."""

    name: str
    model: str
    condition: str
    colour: str
    """As ``RunLine.colour``."""
    runs: tuple[str, ...]
    """Keys of its runs: epochs and wordings, in their order; canaries are in no arm."""


class Effect(Frozen):
    """What one contrast found on one task."""

    task: str
    model: str
    source: str
    """Of its samples, as ``RunLine.source``, where the study has several; else empty."""
    contrast: str
    before: str
    """Name of the arm that is subtracted."""
    after: str
    primary: bool
    effect: float | None
    """Mean difference of the loss, after minus before; negative is better."""
    low: float | None
    high: float | None
    worst: float | None
    """Largest difference of the loss on one sample; null where it is not known."""
    pairs: int
    subjects: int
    wins: int
    ties: int
    losses: int
    elsewhere: float | None
    """Share of the located answers of *after* that were measured elsewhere than in the right place."""
    cost_ratio: float | None
    """Cost of *after* by cost of *before*; in money where both have prices, else in tokens."""
    claim: bool
    why_not: str
    """Why no claim is made, in words; empty where one is made."""


class StudyPage(Frozen):
    """One study: its arms, and what it found."""

    key: str
    name: str
    arms: tuple[Arm, ...]
    tasks: tuple[str, ...]
    headline: tuple[str, ...]
    """At most three sentences that answer the study's question."""
    effects: tuple[Effect, ...]
    caveats: tuple[str, ...]
    state: State
    note: str
    """Why there are no findings; else empty."""


class Index(Frozen):
    """The first thing that the page reads."""

    form: Literal[1] = 1
    program: str
    """Name and version of what wrote it."""
    title: str
    live: bool
    """A server answers: the page asks again, and notes can be written."""
    bounded: str
    """In a bundle: which samples are in it, in words; else empty."""
    runs: tuple[RunLine, ...]
    studies: tuple[StudyPage, ...]
    notes: tuple[str, ...]
    """What of the folders that were opened could not be read, in words."""


class Words(Frozen):
    """A column of texts that repeat themselves: each text once, and its place in every row."""

    values: tuple[str, ...]
    at: tuple[int, ...]
    """Index into ``values`` for each row; -1 where the text is missing."""


class Rows(Frozen):
    """Samples of one run, column by column; all columns are equally long. Rows are in the order of the run."""

    run: str
    stamp: int
    rows: tuple[int, ...]
    """Row numbers, from 0: all of them, those that changed since the stamp that was asked for, or those of a bundle."""
    has_talk: tuple[int, ...]
    """1 where the conversation can be opened."""
    id: tuple[str, ...]
    task: Words
    asked: Words
    """The label, or the landmarks joined by ' | '."""
    dataset: Words
    modality: Words
    plane: Words
    subject: Words
    target: tuple[str, ...]
    """Ground truth in words, with its unit."""
    outcome: Words
    """Missing where the sample is not finished."""
    detail: Words
    loss: tuple[float | None, ...]
    answer: tuple[str, ...]
    """Answer as scored, in words, with its unit; empty for failures."""
    text: tuple[str, ...]
    """Beginning of the model's final message, for free-text search."""
    place: Words
    """right or unknown, or how it is wrong; missing for failures, and until it is worked out.

    Of boxes with too small an IoU: too_large (it holds the truth), too_small (the truth holds it), partly, or elsewhere
    (they share nothing). Of sizes: elsewhere. Of distances: wrong_ends. Of angles: wrong_lines."""
    forced: tuple[int, ...]
    tools: Words
    """Names of the tools that were called, each once, joined by spaces."""
    calls: tuple[int, ...]
    tool_errors: tuple[int, ...]
    turns: tuple[int, ...]
    """Replies of the model."""
    tokens_in: tuple[int | None, ...]
    tokens_out: tuple[int | None, ...]
    seconds: tuple[float | None, ...]
    cost_usd: tuple[float | None, ...]


class Call(Frozen):
    """One tool call."""

    number: int
    """Position among the calls of the conversation, from 1."""
    tool: str
    arguments: str
    """JSON, as the model wrote it."""
    ok: bool
    result: str
    picture: str | None
    """Name of the picture that came back."""
    shown: bool | None
    """The result stood in the model's next turn."""
    picture_shown: bool | None
    seconds: float
    failure: str


class Turn(Frozen):
    """One message of the conversation; results of tools stand with the calls that they answer."""

    number: int
    """From 1, over the messages that are no results of tools (``turns.py``)."""
    role: Literal["system", "user", "assistant"]
    text: str
    thoughts: str
    pictures: tuple[str, ...]
    calls: tuple[Call, ...]
    finish: str
    version: str
    tokens_in: int | None
    tokens_out: int | None
    seconds: float | None
    """Time of the request."""
    cut: bool
    """Text was cut at the bound of the viewer."""


class Shown(Frozen):
    """The image under the canvas."""

    name: str
    """Name of the picture's file, without its ending."""
    width: int
    height: int
    storage: Literal["grey8", "rgb8", "packed16"]
    """packed16: red holds the high byte of each value and green the low one."""
    slope: float
    intercept: float
    """Native value = stored number x slope + intercept."""
    unit: str
    """HU, or grey level where the image has 8 bits or is shown as sent; empty where the unit is not known."""
    low: float
    high: float
    """Window at the start, in native values: shown black below *low* and white above *high*."""
    pixel_width_mm: float
    pixel_height_mm: float
    about: str
    """What it is, in words: native values of the slice, or the image as sent."""


class Mark(Frozen):
    """Something that was stated or measured, in its place on the image."""

    layer: Literal["truth", "answer", "tool", "view"]
    kind: Literal["point", "line", "angle", "box", "outline", "ellipse"]
    points: tuple[XY, ...]
    """point: 1. line: 2. angle: 4, two lines of two points each. box: 2 opposite corners. outline: closed polygon.
    ellipse: 4, the ends of the major axis, then of the minor one."""
    name: str
    """What it is, such as a landmark, a mark's name or a view."""
    value: str
    """What it measures, with its unit; empty where it measures nothing."""
    turn: int | None
    """Turn in which it was stated or measured; null for the ground truth."""
    call: int | None
    tool: str = ""
    """Tool that it belongs to; empty where none does."""


class Scene(Frozen):
    """The canvas of one conversation: an image, and on it what was stated and measured, and the ground truth."""

    shown: Shown
    marks: tuple[Mark, ...]
    missing: tuple[str, ...]
    """What could not be drawn, and why, in words."""


class Number(Frozen):
    """A named figure about a sample, such as its loss or its absolute error."""

    name: str
    value: float | None
    unit: str


class Talk(Frozen):
    """One sample as one run asked it: the conversation, the score, and the image with its marks (the canvas)."""

    run: str
    row: int
    id: str
    outcome: str
    detail: str
    target: str
    answer: str
    numbers: tuple[Number, ...]
    """The loss first, then the measures of the task."""
    made_of: tuple[str, ...]
    """What the answer was made of, in words."""
    read_by: tuple[str, ...]
    """What second readers read in the response, in words; empty where none did."""
    decided: tuple[str, ...]
    """The categories of ground truth and answer by each rule that is about the sample, in words."""
    place: str
    """As ``Rows.place``; empty where that is missing."""
    turns: tuple[Turn, ...]
    scene: Scene | None
    no_scene: str
    """Why there is no canvas; empty where there is one."""


class Reviews(Frozen):
    """The notes on the samples of one run: of each sample the last one."""

    run: str
    reviews: tuple[Review, ...]
    damaged: int
    """Lines of the file that could not be read; they are kept."""


class Note(Frozen):
    """What the page posts to put a note on a sample; an empty verdict and comment take it back."""

    row: int = Field(ge=0)
    verdict: Verdict
    comment: str = Field(max_length=4000)


class Problem(Frozen):
    """What a server answers where it has no value, or takes no note."""

    error: str
