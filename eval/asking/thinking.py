"""A tool-free arm that may think as much as another arm spent: its token budget, and the lane that uses it.

Contract: the budget is the mean of the other arm's output tokens over its results, within what the models take. It is a
limit, which a model may leave unused; it is stored with every record, and stays what it was when a study goes on.
"""

from collections.abc import Iterable
from dataclasses import replace
from statistics import fmean

from medvision_agent.agent.models import Gemini, ModelConfig
from medvision_agent.eval.asking.draws import tokens
from medvision_agent.eval.asking.pool import Job, Lane
from medvision_agent.eval.store.record import Record

__all__ = ["budget_of", "can_think", "let_think", "with_budget"]

_LEAST, _MOST = 512, 24_576
"""Budgets that every model with a thinking budget accepts (ai.google.dev/gemini-api/docs/thinking, Gemini 2.5)."""


def can_think(row: ModelConfig) -> bool:
    """Return whether the model of *row* has a thinking budget that can be set."""
    return isinstance(row, Gemini) and row.thinking_budget is not None


def budget_of(records: Iterable[Record]) -> int:
    """Return the tokens of thinking that match the mean output tokens of *records*, limited to 512 to 24,576.

    Infrastructure failures are left out; 512 if no record remains.
    """
    spent = [tokens(record) for record in records if not record.outcome.infrastructure]
    return min(_MOST, max(_LEAST, round(fmean(spent)))) if spent else _LEAST


def let_think(lane: Lane, own: Iterable[Record], source: Iterable[Record]) -> None:
    """Set a lane's thinking budget from its *own* earlier records, or without any from the tokens of *source*."""
    earlier = next((record.thinking_budget for record in own if record.thinking_budget is not None), None)
    budget = budget_of(source) if earlier is None else earlier
    lane.job = with_budget(lane.job, budget)


def with_budget(job: Job, budget: int) -> Job:
    """Return *job* with a model that may think for *budget* tokens."""
    config = job.chat.config.model_copy(update={"thinking_budget": budget})
    return replace(job, chat=job.chat.beside(job.chat, config), thinking_budget=budget)
