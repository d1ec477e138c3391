"""A study in several wordings on the wire: what is sent in each, and that both arms are sent the same."""

import json
from collections import defaultdict

from fake.replies import text

from medvision_agent.prompts.paraphrase import draw_wordings

ANSWER = text("<think>so</think><answer>10.0</answer>")


def question(request):
    """Return the texts of a request of chat completions: the system text up to its paragraph on tools, the question."""
    system, user = request.body["messages"][:2]
    words = [part["text"] for part in user["content"] if part["type"] == "text"]
    return "\n\n".join([*system["content"].split("\n\n")[:2], *words])


def declared(request):
    return [tool["function"]["name"] for tool in request.body.get("tools", [])]


async def test_both_arms_are_sent_the_same_words_and_tools_in_a_drawn_order(server, data, models, call, tmp_path):
    (tmp_path / "study.yaml").write_text(
        "name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: samples.jsonl\nlimit: 4\nmax_connections: 1\n"
        "prompts: 3\nseed: 2\nbase: {tools: 'crop,ruler,window'}\ndesigns: [on-off]\n"
    )
    server.script([ANSWER], by_turn=True)
    code, _, err = await call("ablate", "study.yaml", "--out", "s")
    assert code == 0, err
    assert len(server.requests) == 4 * 3 * 2
    sent = defaultdict(list)
    for request in server.requests:
        sent[question(request)].append(declared(request))
    assert len(sent) == 4 * 3  # each sample in three wordings
    assert {len(tools) for tools in sent.values()} == {2}  # each of them in both arms
    orders = {tuple(one) for tools in sent.values() for one in tools if one}
    assert {frozenset(order) for order in orders} == {frozenset({"crop", "ruler", "window"})}
    assert len(orders) > 2
    for request in filter(declared, server.requests):
        assert f"in this conversation: {', '.join(declared(request))}." in json.dumps(request.body)
    code, out, err = await call("ablate", "study.yaml", "--out", "s")  # nothing is asked twice
    assert (code, len(server.requests)) == (0, 24), err
    assert all(f" {wording} " in out for wording in draw_wordings(3, 2))
