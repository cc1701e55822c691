"""The models of a run: loaded when first needed, once a process, known by card where possible."""

import functools
from collections.abc import Callable
from typing import TypeVar, cast

from flows.run.logs import LOG
from pipeline.config.audit import Audit, EncoderConfig
from pipeline.embeddings.card import Encoder, EncoderCard, spec_key, weights_stamp
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.workspace.store import Store

T = TypeVar("T")
LoadEncoder = Callable[[EncoderConfig], Encoder]
_KEPT = 2  # models in memory at a time


def load_open_clip(config: EncoderConfig) -> Encoder:
    """Load the open_clip model; the import is here so that nothing else waits for torch."""
    from pipeline.embeddings.encoder import load_encoder

    return load_encoder(config)


def load_once(load: Callable[..., T], *arguments: object) -> T:
    """Return `load(*arguments)`, a model that this process keeps for the next call.

    Tasks get the function and its arguments, which pickle, and not the model.
    """
    return cast("T", _load(load, *arguments))


@functools.lru_cache(maxsize=_KEPT)
def _load(load: Callable[..., object], *arguments: object) -> object:
    return load(*arguments)


def get_encoder(config: EncoderConfig, load: LoadEncoder) -> Encoder:
    """Return the encoder, loaded again only when its weights changed."""
    return load_once(_load_stamped, load, config, weights_stamp(config))


def _load_stamped(load: LoadEncoder, config: EncoderConfig, _stamp: object) -> Encoder:
    return load(config)


def require_encoder(audit: Audit) -> EncoderConfig:
    """Return the audit's [encoder]; raises ConfigError when prompts are used without one."""
    if audit.encoder is None:
        raise ConfigError(
            "an attribute with prompts is used, but there is no [encoder]; add one, e.g.\n"
            '[encoder]\nmodel = "ViT-B-32"\npretrained = "laion2b_s34b_b79k"'
        )
    return audit.encoder


def forget_card(config: EncoderConfig, store: Store) -> None:
    """Remove the card of an encoder whose weights are files here, so that they are hashed again."""
    if weights_stamp(config) is None:
        return
    for path in store.embeddings.glob("*/encoder.json"):
        card = EncoderCard.from_json(path.read_text(encoding="utf-8"), source=str(path))
        if card.spec_key == spec_key(config):
            path.unlink()


def identify_encoder(
    config: EncoderConfig, store: Store, load: LoadEncoder, *, keep: bool = True
) -> EncoderCard:
    """Return the encoder's card: from the workspace if its weights are unchanged, else by loading.

    Weights that are gone since then change nothing about vectors that are already stored.
    keep: note a new card in the workspace.
    """
    key, stamp = spec_key(config), weights_stamp(config)
    for path in sorted(store.embeddings.glob("*/encoder.json")):
        card = EncoderCard.from_json(path.read_text(encoding="utf-8"), source=str(path))
        if card.spec_key == key and stamp in (None, card.stamp):
            if stamp is None:
                LOG.warning("weights of %s not found; known vectors are used", config.model)
            return card
    card = get_encoder(config, load).card
    if keep:
        write_text(card.to_json(), store.embeddings / card.encoder_id / "encoder.json")
    return card
