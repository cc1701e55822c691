"""The page of checks as one file, for a person who has the file and nothing else."""

from pathlib import Path

from flows.api.questionnaire import CheckTask
from flows.api.sample_images import SampleImages
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.images.decode import ImageRejectedError
from reports.pages.static_check_page import StaticQuestion, build_static_page

SIDE = 480  # pixels; 300 pictures are about 10 MB
_NAME = "check-labels.html"


def write_static_page(
    task: CheckTask, images: SampleImages, *, checker: str, folder: Path
) -> tuple[Path, int]:
    """Write the page into a folder, which is made; return its path and how many images it lacks.

    Raises ConfigError when it cannot be written.
    """
    pictures: dict[str, bytes] = {}
    missing = 0
    for sample_id in task.rows["sample_id"].unique(maintain_order=True):
        try:
            pictures[sample_id] = images.draw(sample_id, side=SIDE) or b""
        except ImageRejectedError:
            missing += 1
    of_objects = dict(task.samples.select("sample_id", task.samples["w"].is_not_null()).iter_rows())
    questions = [
        StaticQuestion(of_object=of_objects.get(row["sample_id"], False), **row)
        for row in task.rows.to_dicts()
    ]
    page = build_static_page(
        name=task.name,
        checker=checker,
        draw_id=task.draw_id,
        questions=questions,
        values=task.values,
        pictures=pictures,
    )
    try:
        return write_text(page, folder / _NAME), missing
    except OSError as error:
        raise ConfigError(f"--static {folder}: cannot be written: {error.strerror}") from None
