"""The environment variable of a model's API key, and advice if a service refuses the key; never the key itself."""

from medvision_agent.agent.models import ModelConfig, Offline, Transformers

__all__ = ["key_names", "key_remedy"]


def key_names(config: ModelConfig) -> tuple[str, ...]:
    """Return the environment variables to read the API key from, in order; empty if no key is needed."""
    if isinstance(config, Offline | Transformers) or config.api_key_env is None:
        return ()
    if config.api_key_env == "GEMINI_API_KEY":
        return ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    return (config.api_key_env,)


def key_remedy(config: ModelConfig) -> str:
    """Return advice for a key that the service refuses."""
    names = key_names(config)
    if not names:
        return "its row names no API key: set api_key_env to the environment variable that holds the key"
    return f"check the key in the environment variable {' or '.join(names)}, and what it may be used for"
