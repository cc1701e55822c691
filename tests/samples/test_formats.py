"""Every dataset format has a record of its keys, a reader and, with true boxes, a writer."""

from pipeline.config.dataset_formats import FORMATS as RECORDS
from pipeline.config.dataset_formats import list_formats
from pipeline.samples.formats import FORMATS


def test_every_format_that_audit_toml_knows_is_read_and_written() -> None:
    assert list(FORMATS) == list(RECORDS)
    assert {name for name, own in FORMATS.items() if own.write} == {
        name for name, record in RECORDS.items() if record.has_boxes
    }


def test_names_of_formats_are_listed_in_words() -> None:
    assert list_formats(quote="'") == "'folder', 'table', 'coco', 'yolo' or 'voc'"
    assert list_formats(with_boxes=True) == '"coco", "yolo" or "voc"'
