"""What calls the tasks of a run: this process, or a cluster, as audit.toml asks for it."""

from flows.run.tasks import PrefectRunner
from pipeline.config.run import RunConfig
from pipeline.exceptions import ConfigError


def make_runner(audit: str, config: RunConfig) -> PrefectRunner:
    """Return what calls the tasks of an audit of that name, as its [run] asks for.

    Raises ConfigError where the library is not installed.
    """
    if config.runner == "local":
        return PrefectRunner(audit)
    try:
        from flows.run.cluster.ray_runner import RayRunner  # Ray takes a second to import
    except ImportError as error:
        raise ConfigError(
            f'[run] runner = "ray" needs libraries that are not installed ({error}); install them '
            "with: pip install 'weakspot[ray]'"
        ) from None
    return RayRunner(audit, config)
