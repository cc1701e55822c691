"""Every dataset format has a record of its keys and a reader; those that are written have boxes."""

from flows.commands.data import AnnotationFormat
from pipeline.config.dataset_formats import FORMATS as RECORDS
from pipeline.config.dataset_formats import list_formats
from pipeline.files.toml_file import list_options
from pipeline.samples.formats import FORMATS


def test_every_format_that_audit_toml_knows_has_a_reader() -> None:
    assert list(FORMATS) == list(RECORDS)


def test_convert_offers_the_formats_that_have_a_writer_and_these_have_boxes() -> None:
    written = {name for name, own in FORMATS.items() if own.write}
    assert {one.value for one in AnnotationFormat} == written
    assert all(RECORDS[name].has_boxes for name in written)


def test_names_are_listed_in_words() -> None:
    assert list_options(["a", "b", "c"]) == "'a', 'b' or 'c'"
    assert list_formats() == list_options(RECORDS, quote='"')
    boxes = [name for name, record in RECORDS.items() if record.has_boxes]
    assert list_formats(with_boxes=True) == list_options(boxes, quote='"')
