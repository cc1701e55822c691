"""The [run] of audit.toml: on which machines shards are made."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.section import Section


class RunConfig(Section):
    """Where the tasks of a run are done: embedding, detecting, reading text, labelling."""

    # "local": in the process of the command; "ray": on a Ray cluster, through Prefect.
    runner: Literal["local", "ray"] = "local"
    # Of "ray": of the cluster, e.g. "auto" or "ray://head:10001"; without it one of this machine.
    address: str | None = None
    task_cpus: float = Field(default=1.0, gt=0)  # of "ray": cores that a task is given
    task_gpus: float = Field(default=0.0, ge=0)  # of "ray": GPUs that a task is given

    @model_validator(mode="after")
    def _fits_runner(self) -> "RunConfig":
        if self.runner == "local" and self.address is not None:
            raise ValueError('address: used with runner = "ray" alone; add that or remove it')
        return self
