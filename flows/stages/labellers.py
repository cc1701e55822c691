"""The attributes of an audit made ready to label: prompts encoded, edges resolved, columns read."""

import hashlib
from collections.abc import Callable, Sequence

import polars as pl

from flows.run.health.damage import drop_damaged
from flows.run.loaded_models import LoadEncoder, get_encoder, identify_encoder, require_encoder
from flows.run.reading.saved_attributes import add_saved_columns
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTask, call_task
from flows.stages.judging.auto_margins import Margins, choose_margins
from pipeline.arrays import Vectors
from pipeline.config.audit import EncoderConfig
from pipeline.images.crop import find_small
from pipeline.images.measure import MEASURE_VERSION
from pipeline.labels.attribute_file import Attribute, make_label_id
from pipeline.labels.given import select_targets
from pipeline.labels.labellers import GivenLabeller, Labeller, MeasuredLabeller, PromptLabeller
from pipeline.labels.measured import (
    get_raw_measure,
    needs_neighbors,
    needs_text,
    resolve_edges,
    take_values,
)
from pipeline.labels.zero_shot import list_prompts, make_prototypes
from pipeline.samples.sample_set import SampleSet
from pipeline.texts.measures import measure_texts
from pipeline.workspace.kept.kept_texts import read_kept_texts
from pipeline.workspace.shards import (
    read_measure,
    read_vectors,
    stored_keys,
    write_vectors,
)
from pipeline.workspace.store import Store


def make_labellers(
    resolved: ResolvedAudit,
    sample_set: SampleSet,
    store: Store,
    *,
    known: pl.DataFrame | None = None,
    load: LoadEncoder,
    run_task: RunTask = call_task,
) -> tuple[list[Labeller], int]:
    """Make a labeller of every attribute, in order; return them and the prompts encoded.

    known: true values as `read_margin_truth` returns them, for margins that are chosen by them.
    """
    prompted, encoded = make_prompted(
        resolved, sample_set.samples, store, known=known, load=load, run_task=run_task
    )
    # Of detections the other detections: one that covers a true object would give its error away.
    of_detections = resolved.audit.dataset.sample == "detection"
    neighbors = None if of_detections else _choose_neighbors(sample_set)
    columns = add_saved_columns(sample_set, resolved.saved).columns
    makers: dict[str, Callable[[Attribute], Labeller]] = {  # one for each name in KINDS
        "prompts": lambda attribute: prompted[attribute.name],
        "measured": lambda attribute: _make_measured(
            attribute, sample_set, store, neighbors=neighbors
        ),
        "given": lambda attribute: _make_given(attribute, columns),
    }
    return [makers[attribute.kind](attribute) for attribute in resolved.attributes], encoded


def encode_prompts(
    texts: Sequence[str], encoder_id: str, config: EncoderConfig, store: Store, load: LoadEncoder
) -> int:
    """Encode the texts that this encoder has not encoded yet; return how many these were."""
    drop_damaged(store.prompts / encoder_id)
    known = set(stored_keys(store.prompts / encoder_id).to_list())
    missing = [text for text in texts if text not in known]
    if missing:
        values = get_encoder(config, load).encode_texts(missing)
        keys = pl.Series("content_key", missing)
        write_vectors(Vectors(keys, values, encoder_id), store.prompts)
    return len(missing)


def make_prompted(
    resolved: ResolvedAudit,
    samples: pl.DataFrame,
    store: Store,
    *,
    known: pl.DataFrame | None,
    load: LoadEncoder,
    run_task: RunTask = call_task,
) -> tuple[dict[str, PromptLabeller], int]:
    """Make a labeller of every attribute with prompts; return them and the prompts encoded."""
    prompted = [attribute for attribute in resolved.attributes if attribute.kind == "prompts"]
    if not prompted:
        return {}, 0
    config = require_encoder(resolved.audit)
    card = identify_encoder(config, store, load)
    texts = list(dict.fromkeys(text for a in prompted for text in list_prompts(a)))
    encoded = run_task(encode_prompts, texts, card.encoder_id, config, store, load)
    vectors = read_vectors(texts, store.prompts, encoder_id=card.encoder_id)
    min_size = resolved.audit.dataset.crop.min_size
    # Only where it decides about a label: others stay as they were made.
    rule = (min_size,) if find_small(samples, min_size=min_size).any() else ()
    labellers = {}
    for attribute in prompted:
        margins = Margins(None)
        if attribute.min_margin == "auto":
            margins = choose_margins(
                attribute, known, samples, vectors, store, logit_scale=card.logit_scale
            )
        made_from = (card.encoder_id, *rule, *(margins.margins or ()))
        labellers[attribute.name] = PromptLabeller(
            attribute,
            make_label_id(attribute, *made_from),
            make_prototypes(
                attribute, vectors, logit_scale=card.logit_scale, min_margins=margins.margins
            ),
            min_size,
            margins.notes,
        )
    return labellers, encoded


def _make_measured(
    attribute: Attribute, sample_set: SampleSet, store: Store, *, neighbors: pl.DataFrame | None
) -> MeasuredLabeller:
    measure = get_raw_measure(attribute)
    measurements, version = None, MEASURE_VERSION
    if needs_text(attribute):
        texts, version = read_kept_texts(store)
        measurements = measure_texts(texts, sample_set.samples, reader_id=version)
    elif measure is not None:
        measurements = read_measure(store.measurements, measure, version=MEASURE_VERSION)
    targets = select_targets(sample_set.samples, attribute)
    numbers = take_values(attribute, targets, measurements, objects=neighbors)
    if measurements is not None:  # samples whose pixels could not be measured were rejected
        numbers = numbers.drop_nulls("value")
    edges = resolve_edges(attribute, numbers["value"])
    made_from = version if measurements is not None else "size"
    if needs_neighbors(attribute):  # a new one changes an object's number, but not its content key
        made_from = _hash_rows(numbers)
    return MeasuredLabeller(attribute, make_label_id(attribute, made_from, *edges), numbers, edges)


def _make_given(attribute: Attribute, columns: pl.DataFrame) -> GivenLabeller:
    name = attribute.given_column
    content = columns.select("sample_id", pl.col(name).alias("cell"))
    label_id = make_label_id(attribute, _hash_rows(content))
    return GivenLabeller(attribute, label_id, columns.select("sample_id", name))


def _choose_neighbors(sample_set: SampleSet) -> pl.DataFrame:
    """Return the true objects of the categories of the audit, also those that are no samples."""
    asked = sample_set.categories.filter(pl.col("asked"))
    return sample_set.objects.join(asked, on=["source", "category"], how="semi")


def _hash_rows(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()
