"""Answering one question: run the graph, then say how it ended.

Contract: ``answer`` returns an Answer for everything that can happen to one sample, typed by its outcome. It raises
only ProviderError (the provider refuses to work at all, so the run must stop), cancellation, and GivenUpError where
nothing was paid yet.
"""

import traceback
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig
from langsmith import tracing_context

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.endings.outcome import READ_THEM, Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.graph import agent_graph, prompt
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.marked_box import written_out
from medvision_agent.agent.policies.brief import Brief
from medvision_agent.agent.retry import RequestFailed
from medvision_agent.agent.session import GivenUpError, Session, Waiting
from medvision_agent.agent.trace import Trace
from medvision_agent.agent.words.question import Question
from medvision_agent.errors import ProviderError, ToolServiceError
from medvision_agent.text import plural
from medvision_agent.tools.mark import mark
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.views import Perceives, ViewSet

__all__ = ["Answer", "answer"]


@dataclass(frozen=True, eq=False)
class Answer:
    """The result of one question: its outcome, the model's answer, the trace, and its tokens, times and hashes."""

    outcome: Outcome
    response: str
    """Visible text of the final message in the model's own words and convention; empty where there is none."""
    as_written: str | None
    """The text as the model wrote it, if it names a box by marks; ``response`` then holds coordinates. Else None."""
    detail: str
    """What happened, in words, for an outcome that needs an explanation, such as an error; may be empty."""
    forced: bool
    """Whether a limit was reached, so that the model got one last turn to answer."""
    handed: int
    """Number of images of another arm's tool results that were sent beside the question (``result-only``)."""
    usage: Usage
    """Tokens of all requests, those of unusable replies included."""
    seconds: float
    """Seconds spent in the model and the tools, without ``waited_seconds``."""
    waited_seconds: float
    """Seconds spent in failed tries of requests that were answered later, in the waits after them, and in waiting for
    the rate limit."""
    failed_tries: int
    """Number of failed tries of requests that were answered later."""
    finish_reasons: tuple[str, ...]
    """Why each reply stopped, in the order of the replies."""
    model_versions: tuple[str, ...]
    """The model versions that the server named."""
    unread: int
    """Number of replies with tool calls in their text that neither the service nor the grammar parsed."""
    prompt_sha256: str
    """Hash of the prompt without its paragraph about tools: equal in both arms of a comparison."""
    prompt_with_tools_sha256: str
    """Hash of the prompt as sent."""
    v0_sha256: str
    """Hash of the whole image as sent (v0), a PNG file; empty if no image was sent."""
    v0_perceived: Size
    """Size at which the model perceives the whole image; a box in pixels refers to this size."""
    trace: Trace


async def answer(
    question: Question,
    condition: Condition,
    chat: Chat,
    limits: Limits,
    *,
    perceives: Perceives | None = None,
    waiting: Waiting | None = None,
    brief: Brief | None = None,
    truth: Truth | None = None,
) -> Answer:
    """Ask *chat* the *question* under *condition* and return the Answer, whose outcome says how the sample ended.

    Args:
        question: The image and the words of the question.
        condition: The tools that the model may call, and the control that changes what they return, if any.
        chat: The model.
        limits: The maximum turns, tool calls, seconds and tokens of this sample.
        perceives: Replaces the model's own rule for the size at which it sees images, where a recipe changes it.
        waiting: Callbacks for the time between two tries of a request.
        brief: The task in structured form, for an offline policy only.
        truth: The ground truth, for tools with variant `oracle` or `noise`; no other part of a conversation sees it.

    Raises ProviderError if the provider refuses to work at all, and GivenUpError if the run is stopped while the sample
    waits and no token was spent on it. Every other failure is an outcome.
    """
    condition = condition.with_truth(truth)
    sees, frame = perceives or chat.config.sees, FRAMES[chat.config.frame]
    views = ViewSet(
        question.image,
        sees,
        frame,
        question.wording.display,
        new_detail=condition.control is None or condition.control.new_detail,
        refuses=condition.control is None or condition.control.refuses,
    )
    session = Session(question, condition, chat, limits, views, waiting or Waiting(), brief)
    # Every turn is two steps of the graph at most; the session's own limits end it long before.
    steps: RunnableConfig = {"recursion_limit": 3 * limits.model_calls + 10}
    try:
        # Tracing is off even if the environment turns it on: no tracing service may receive the images.
        with tracing_context(enabled=False, parent=False):
            opened = await prompt(session)
            # No node writes to this stream, so that the state is not copied for anybody after each step.
            await agent_graph().ainvoke(opened, steps, context=session, stream_mode="custom")
    except RequestFailed as failure:
        return _answer(session, failure.fault.outcome, str(failure))
    except ToolServiceError as failure:
        return _answer(session, Outcome.TOOL_SERVICE, str(failure))
    except ProviderError:
        raise
    except GivenUpError:
        if session.usage == Usage():
            raise
        # Tokens were spent, so they are recorded. No reply arrived, so a resumed run asks again.
        fault = session.last_fault.outcome if session.last_fault else Outcome.RATE_LIMITED
        return _answer(session, fault, "the run was stopped while this sample waited to send a request again")
    except Exception as error:  # noqa: BLE001 - a fault of ours in one sample must lose neither the others nor its trace
        return _answer(session, Outcome.INTERNAL, "".join(traceback.format_exception(error))[-4000:])
    return _answer(session, *_ending(session))


def _ending(session: Session) -> tuple[Outcome, str]:  # noqa: PLR0911 - one line for each way to end
    """Return the outcome and an explanation of it in words ("" for an answer) if every request got a proper reply."""
    last = session.turns[-1]
    if last.finish is Finish.UNKNOWN:
        return (
            Outcome.UNKNOWN_ENDING,
            f"the reply stopped for a reason that this package does not know: {last.finish_raw[:80]!r}",
        )
    if session.counts["broken"] >= session.limits.broken_turns:
        return Outcome.TOOL_PROTOCOL, f"{session.counts['broken']} turns in a row without a readable tool call"
    if last.finish is Finish.BLOCKED:
        return Outcome.REFUSED, f"the provider or the model refused to answer (finish reason {last.finish_raw})"
    if last.finish is Finish.LENGTH:
        return (
            Outcome.LIMIT_REACHED,
            f"the reply was cut off by the output token limit or the context window (finish reason {last.finish_raw})",
        )
    if last.calls_a_tool and not session.condition.tools:
        return (
            Outcome.TOOL_PROTOCOL,
            f"the model called a tool, but no tool is declared (finish reason {last.finish_raw})",
        )
    if last.unread_calls and not session.forced:
        return (
            Outcome.TOOL_PROTOCOL,
            f"the text of the reply has {plural(last.unread_calls, 'tool call')} that nobody read: {READ_THEM}",
        )
    if last.calls_a_tool or last.unread_calls:
        return Outcome.LIMIT_REACHED, "the model called a tool in its last turn, which had to be the answer"
    if not last.text.strip():
        return Outcome.NO_ANSWER, f"the reply has no visible text (finish reason {last.finish_raw})"
    return Outcome.ANSWERED, ""


def _box_of_marks(session: Session, text: str) -> str | None:
    """Return the final message *text* with the box in coordinates, if the model named the box by marks.

    None if it did not, if no box is asked for, or if the tool `mark` cannot be called.
    """
    can_mark = any(tool.name == mark.name for tool in session.condition.tools)
    return written_out(text, session.views) if session.question.asks_box and can_mark else None


def _answer(session: Session, outcome: Outcome, detail: str) -> Answer:
    words = session.words
    text = session.turns[-1].text if session.turns and not outcome.infrastructure else ""
    box = _box_of_marks(session, text) if outcome is Outcome.ANSWERED else None
    versions = [turn.model_version for turn in session.turns if turn.model_version]
    return Answer(
        outcome=outcome,
        response=text if box is None else box,
        as_written=None if box is None else text,
        detail=detail,
        forced=session.forced,
        handed=session.counts["handed"],
        usage=session.usage,
        seconds=session.seconds,
        waited_seconds=session.waited,
        failed_tries=session.failed_tries,
        finish_reasons=tuple(turn.finish_raw for turn in session.turns),
        model_versions=tuple(dict.fromkeys(versions)),
        unread=session.unread,
        prompt_sha256=words.sha256 if words else "",
        prompt_with_tools_sha256=words.sha256_sent if words else "",
        v0_sha256=session.v0_sha256,
        v0_perceived=session.views.whole.perceived,
        trace=session.trace,
    )
