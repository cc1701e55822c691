"""Whether an encoder can be trusted: word probes of groups, labels that text flips, verdicts."""

import polars as pl

from pipeline.tables.schema import Schema

PROBES: Schema = {  # one row a pair of words and a group
    "subject": pl.String(),  # of the probe file
    "first": pl.String(),
    "second": pl.String(),
    "attribute": pl.String(),
    "group": pl.String(),  # the value
    "others": pl.String(),  # the other value, or "all others"
    "n": pl.Int64(),  # images of the group
    "others_n": pl.Int64(),
    "clusters": pl.Int64(),  # people, or images where these are not known
    "others_clusters": pl.Int64(),
    "share": pl.Float64(),  # of the group that lies nearer to the first word
    "share_low": pl.Float64(),  # 95 %, as all intervals
    "share_high": pl.Float64(),
    "others_share": pl.Float64(),
    "others_low": pl.Float64(),
    "others_high": pl.Float64(),
    "shift": pl.Float64(),  # share - others_share
    "shift_low": pl.Float64(),
    "shift_high": pl.Float64(),
    "d": pl.Float64(),  # effect size of the difference of margins
    "d_low": pl.Float64(),
    "d_high": pl.Float64(),
    "null_median": pl.Float64(),  # size of d that half of the neutral pairs reach
    "null_edge": pl.Float64(),  # that one neutral pair in twenty reaches
    "percentile": pl.Float64(),  # share of the neutral pairs with a smaller d
    "p": pl.Float64(),  # of the word null
    "p_family": pl.Float64(),  # for all pairs and groups together
    "image_p": pl.Float64(),  # of the usual permutation of images, for comparison
    "wordings": pl.Int64(),  # synonyms and templates
    "wordings_held": pl.Float64(),  # share of them that say the same beyond the neutral pairs
    "d_least": pl.Float64(),  # over the wordings
    "d_most": pl.Float64(),
    "adjusted_d": pl.Float64(),  # within strata of the covariates; null without any
    "adjusted_low": pl.Float64(),
    "adjusted_high": pl.Float64(),
    "adjusted_p": pl.Float64(),  # of neutral pairs adjusted alike
    "compared_share": pl.Float64(),  # of the group that lies in strata with others
    "verdict": pl.String(),  # shown | not shown | insufficient evidence
    "reason": pl.String(),  # why it is not shown
    "needed_n": pl.Int64(),  # people or images of each side, where the evidence is insufficient
    "gate": pl.String(),  # pass | fail | insufficient evidence; null without a gate
}
FLIPS: Schema = {  # what words in the picture do to labels: one row an attribute, defence and area
    "attribute": pl.String(),
    "defence": pl.String(),  # none | mask | mirror | probe
    "area": pl.Float64(),  # share of the picture that the word covers; null: all areas
    "n": pl.Int64(),  # samples
    "pairs": pl.Int64(),  # words written, each beside a nonsense word of equal length
    "flips": pl.Float64(),  # share of the words after which the label is the value written
    "control_flips": pl.Float64(),  # the same after the nonsense word
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),  # 95 %, paired, by image
    "difference_high": pl.Float64(),
    "p": pl.Float64(),  # one-sided, of a difference above the least that counts
    "p_holm": pl.Float64(),  # over the attributes of a defence
    "own_kept": pl.Float64(),  # labels that stay when the word of their own value is written
    "clean_agreement": pl.Float64(),  # clean labels with the defence that equal those without
    "clean_accuracy": pl.Float64(),  # with the defence, where true values are known
    "accuracy_change": pl.Float64(),  # to no defence, on the same samples
    "change_low": pl.Float64(),
    "change_high": pl.Float64(),
    "verdict": pl.String(),  # reads text | no effect shown | insufficient evidence
}
TRUST: Schema = {  # one row an attribute with labels of a model
    "attribute": pl.String(),
    "accuracy": pl.Float64(),  # of the labels in use, where true values or checks are known
    "accuracy_low": pl.Float64(),
    "accuracy_high": pl.Float64(),
    "quality": pl.String(),  # good | poor | insufficient evidence | not measured
    "flips": pl.Float64(),  # corrected share of labels that a written word flips
    "flips_low": pl.Float64(),
    "flips_high": pl.Float64(),
    "text": pl.String(),  # reads text | no effect shown | insufficient evidence | not measured
    "group": pl.String(),  # whose labels are wrong more often than those of others
    "bias_difference": pl.Float64(),  # of the share right, between that group and the others
    "bias_low": pl.Float64(),
    "bias_high": pl.Float64(),
    "bias": pl.String(),  # leans | no large difference | insufficient evidence | not measured
    "outside": pl.Float64(),  # share of labels decided outside of the object
    "leakage": pl.String(),  # leaks | no leak shown | insufficient evidence | not measured
    "verdict": pl.String(),  # endangered | nothing found | not measured
    "note": pl.String(),  # one sentence for a finding that rests on it; null where nothing is found
}
TRUST_TABLES = {"probes": PROBES, "flips": FLIPS, "trust": TRUST}
