"""The agent: prompt -> model <-> tools -> answer; all but the prompt is one LangGraph state graph.

    prompt -> model -> answer
               |  ^
               v  |
              tools -> force -> model
               again -> model

State holds the messages only; everything else of a sample is in its Session. The graph starts from the messages of
the prompt (``prompt``): a step of the graph costs as much as a small request. When a limit is reached after the
tools have replied, ``force`` asks for the answer and the model gets one last turn with tool choice "none".
``again`` asks to check an answer, under the condition of that name only.
Routers are async because LangGraph runs plain functions in a thread.
"""

import asyncio
import operator
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from medvision_agent.agent.chat.history import newest_pictures
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.opening import opening
from medvision_agent.agent.retry import call_model
from medvision_agent.agent.session import Session
from medvision_agent.agent.shown import mark_shown
from medvision_agent.agent.toolbox import answer_calls
from medvision_agent.agent.words.handed_back import blocks
from medvision_agent.prompts.render import render
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.png import encode_png

__all__ = ["State", "agent_graph", "prompt"]


class State(TypedDict):
    """The messages of the conversation so far; each node returns the messages to append.

    They are joined by ``operator.add``: LangGraph's ``add_messages`` would merge messages whose ids a server repeats.
    """

    messages: Annotated[list[AnyMessage], operator.add]


Update = dict[str, list[AnyMessage]]


async def prompt(session: Session) -> State:
    """Return the first messages: the system text, then the image, if there is one, and the question."""
    session.words = words = opening(session.question, session.views, session.condition, session.chat.config)
    content: list[str | dict[str, Any]] = [{"type": "text", "text": words.question}]
    if session.question.shows_picture:
        png = await asyncio.to_thread(encode_png, shown(session.views, session.views.whole))
        session.v0_sha256 = sha256(png).hexdigest()
        session.counts["picture"] = 1
        content.insert(0, session.chat.picture_block(png))
    system = [SystemMessage(words.system_sent)] if words.system_sent else []
    messages = [*system, HumanMessage(content), *_handed_back(session)]
    session.trace.say(*messages)
    return State(messages=messages)


async def model(state: State, runtime: Runtime[Session]) -> Update:
    """Ask the model for its next turn, and return the reply to append; nothing to append if the reply is empty."""
    session = runtime.context
    chat = session.chat
    session.counts["model"] += 1
    sent = session.protocol.sent(state["messages"])
    reply = await call_model(
        session.asked_last if session.forced else session.asked,
        sent,
        config=chat.config,
        read=session.protocol.read,
        sleep=session.waiting.sleep,
        on_fault=session.failed,
        on_spent=session.paid,
        on_request=session.trace.requests.append,
        redact=chat.redact,
        pace=chat.pace,
        tools=bool(session.condition.tools),
    )
    mark_shown(session.trace, sent)
    turn = session.hear(reply)
    session.trace.say(reply.message)
    kept = session.protocol.kept(reply.message, turn)
    if kept is not reply.message:
        session.trace.sent_back(kept)
    return {"messages": [] if kept is None else [kept]}


async def tools(state: State, runtime: Runtime[Session]) -> Update:  # noqa: ARG001
    """Run every tool call of the last turn, and return the messages that answer the calls."""
    session = runtime.context
    return _said(session, *await answer_calls(session, session.turns[-1]))


async def force(state: State, runtime: Runtime[Session]) -> Update:  # noqa: ARG001
    """Return the message that asks for the final answer because a limit is reached."""
    session = runtime.context
    session.forced = True
    return _said(session, HumanMessage(render("force")))


async def again(state: State, runtime: Runtime[Session]) -> Update:  # noqa: ARG001
    """Return the message that asks the model only to check its answer."""
    session = runtime.context
    session.counts["again"] += 1
    return _said(session, HumanMessage(render("again")))


async def after_model(
    state: State,  # noqa: ARG001
    runtime: Runtime[Session],
) -> Literal["tools", "again", "__end__"]:
    """Return the next step: the tools if the model may call them, a check of its answer, or the end."""
    session = runtime.context
    turn = session.turns[-1]
    if not turn.finish.may_call:
        return "__end__"
    if turn.calls_a_tool:
        may = session.condition.tools and not session.forced and not session.called_all
        return "tools" if may else "__end__"
    answered = turn.finish is Finish.STOP and turn.text.strip()
    asked = session.counts["again"] < session.condition.again
    return "again" if asked and answered and not session.at_limit() else "__end__"


async def after_tools(
    state: State,  # noqa: ARG001
    runtime: Runtime[Session],
) -> Literal["model", "force", "__end__"]:
    """Return the next step: the model, its last turn at a limit, or the end if its calls stay unreadable."""
    session = runtime.context
    if session.counts["broken"] >= session.limits.broken_turns:
        return "__end__"
    return "force" if session.at_limit() and not session.called_all else "model"


@cache
def agent_graph() -> CompiledStateGraph[State, Session, Any, Any]:
    """Return the compiled graph, one per process."""
    graph = StateGraph(State, context_schema=Session)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_node("force", force)
    graph.add_node("again", again)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", after_model)
    graph.add_conditional_edges("tools", after_tools)
    graph.add_edge("force", "model")
    graph.add_edge("again", "model")
    return graph.compile()


def _handed_back(session: Session) -> list[AnyMessage]:
    """Return the message with another arm's tool results beside the question; an empty list without them."""
    if not session.question.results:
        return []
    message = HumanMessage(blocks(session.question.results, session.chat.picture_block))
    sent = newest_pictures([message], session.chat.config.pictures_per_request)
    session.counts["handed"] = sum(isinstance(one, dict) and one["type"] != "text" for one in sent[0].content)
    return sent


def _said(session: Session, *messages: AnyMessage) -> Update:
    session.trace.say(*messages)
    return {"messages": list(messages)}
