"""Which environment variable holds a model's key, and what to do where a service refuses it. Never what the key is."""

from medvision_agent.agent.models import ModelConfig, Offline, Transformers

__all__ = ["key_names", "key_remedy"]


def key_names(config: ModelConfig) -> tuple[str, ...]:
    """Return the environment variables a key is looked up in, in order; none where no key is needed."""
    if isinstance(config, Offline | Transformers) or config.api_key_env is None:
        return ()
    if config.api_key_env == "GEMINI_API_KEY":
        return ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    return (config.api_key_env,)


def key_remedy(config: ModelConfig) -> str:
    """Return what to do where the service refuses the key."""
    names = key_names(config)
    if not names:
        return "its row names no key: give the environment variable that holds one in api_key_env"
    return f"check the key in the environment variable {' or '.join(names)}, and what it may be used for"
