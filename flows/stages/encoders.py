"""Which encoder an audit uses, known without loading it where the workspace has met it before."""

from collections.abc import Callable

from flows.run.logs import LOG
from pipeline.config.audit import Audit, EncoderConfig
from pipeline.embeddings.card import Encoder, EncoderCard, spec_key, weights_stamp
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.workspace.store import Store

LoadEncoder = Callable[[EncoderConfig], Encoder]


def load_open_clip(config: EncoderConfig) -> Encoder:
    """Load the open_clip model; the import is here so that nothing else waits for torch."""
    from pipeline.embeddings.encoder import load_encoder

    return load_encoder(config)


def require_encoder(audit: Audit) -> EncoderConfig:
    """Return the audit's [encoder]; raises ConfigError when prompts are used without one."""
    if audit.encoder is None:
        raise ConfigError(
            "an attribute with prompts is used, but there is no [encoder]; add one, e.g.\n"
            '[encoder]\nmodel = "ViT-B-32"\npretrained = "laion2b_s34b_b79k"'
        )
    return audit.encoder


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
    card = load(config).card
    if not keep:
        return card
    path = store.embeddings / card.encoder_id / "encoder.json"
    write_text(card.to_json(), path)
    return card
