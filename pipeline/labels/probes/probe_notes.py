"""What is said of a probe: by the command, in the manifest, in the report."""

from pipeline.labels.probes.examples import LEAST
from pipeline.labels.probes.label_comparison import LabelComparison
from pipeline.labels.probes.linear_probe import Probe


def describe_choice(
    probe: Probe | None, comparison: LabelComparison | None, *, known: int, used: bool
) -> str:
    """Say whether a probe labels an attribute, and why.

    probe: None where none could be trained on the `known` checks. comparison: with the labels by
    prompts.
    """
    if probe is None:
        return (
            f"zero-shot: {known} checks are too few for a probe, which needs {LEAST} of each of "
            "two values"
        )
    compared = "" if comparison is None else f", {describe_comparison(comparison)}"
    left = describe_left_out(probe)
    if used:
        return f"probe from {probe.examples} checks{compared}{left}"
    return f"zero-shot: a probe from {probe.examples} checks is not shown to be better{compared}"


def describe_comparison(comparison: LabelComparison) -> str:
    """Say how well the two labellings agree with what is known, and whether that can be chance."""
    return (
        f"{_percent(comparison.right)} right against {_percent(comparison.other_right)}, agreement "
        f"beyond chance {_share(comparison.kappa)} against {_share(comparison.other_kappa)}, "
        f"p {_bound(comparison.p)}"
    )


def describe_left_out(probe: Probe) -> str:
    """Name the values that the probe does not know; nothing where it knows all."""
    if not probe.left_out:
        return ""
    named = ", ".join(f"{value!r} ({count})" for value, count in probe.left_out.items())
    return f"; it never says {named}, of which it had fewer than {LEAST}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _share(kappa: float) -> str:
    return f"{kappa:.2f}".replace("0.", ".", 1)


def _bound(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.2g}".replace("0.", ".", 1)
