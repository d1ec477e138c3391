"""The first prompt of a conversation, for the agent, estimates and replays alike."""

from functools import partial

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.grammars.registry import grammar_of
from medvision_agent.agent.models import Gemini, ModelConfig, OpenAI
from medvision_agent.agent.providers.gemini.replay import LITERAL, RECIPE, worded
from medvision_agent.agent.words.question import Prompt, Question, Wording
from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.frames import MEDVISION
from medvision_agent.tools.view.views import ViewSet

__all__ = ["check_askable", "opening"]


def opening(question: Question, views: ViewSet, condition: Condition, config: ModelConfig) -> Prompt:
    """Return the prompt of the first turn, as it is sent to the model of *config* under *condition*.

    *views* holds the image, whose sizes the prompt states.
    """
    render = partial(question.wording.render, frame=views.frame)
    words = question.prompt(views, condition.told(grammar_of(config), views.frame, render))
    if isinstance(config, Gemini) and config.replay is not None:
        return worded(words, config.replay, code=condition.provider_code)
    return words


def check_askable(name: str, config: ModelConfig, condition: Condition, recipe: str, wording: Wording) -> None:
    """Raise ConfigError if the model *name* cannot be asked under *condition*.

    Also raise it if *recipe* or *wording* would change a replay, which is a row that repeats a published experiment.
    """
    runs_code = isinstance(config, Gemini) or (isinstance(config, OpenAI) and config.api == "responses")
    if condition.provider_code and not runs_code:
        raise ConfigError(
            f"--tools code: the interface of model {name!r} offers no code execution; use a model with provider: "
            "gemini, or with provider: openai and api: responses"
        )
    if not isinstance(config, Gemini) or config.replay is None:
        return
    if condition.name not in ("off", "code"):
        raise ConfigError(
            f"model {name!r} replays the published experiment {LITERAL}, which has only --tools off and --tools code; "
            "for other tools, use a row without the key `replay`"
        )
    if config.frame != MEDVISION.name:
        raise ConfigError(
            f"model {name!r} replays the published experiment {LITERAL}, which used the frame {MEDVISION.name}; set "
            f"--frame {MEDVISION.name} instead of {config.frame}"
        )
    if recipe != RECIPE:
        raise ConfigError(
            f"model {name!r} replays the published experiment {LITERAL}, which used the recipe {RECIPE}; set --recipe "
            f"{RECIPE} instead of {recipe}"
        )
    if wording.display != "plain":
        raise ConfigError(
            f"model {name!r} replays the published experiment {LITERAL}, whose images have nothing drawn on them; set "
            f"--display plain instead of {wording.display}"
        )
    if wording.number:
        raise ConfigError(
            f"model {name!r} replays the published experiment {LITERAL}, which has one wording only; leave out "
            "--wording and, in a study, `prompts`"
        )
    unsent = " and ".join(name for name in wording.own if name == "system" or name.startswith("tools"))
    if unsent:
        raise ConfigError(
            f"--prompt-file: {unsent} would not be sent, because model {name!r} replays the published experiment "
            f"{LITERAL}, whose prompt is one text without a system text; put every word into the task's own template"
        )
