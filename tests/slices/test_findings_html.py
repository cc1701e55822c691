"""Findings as a notebook shows them."""

import numpy as np
import polars as pl

from pipeline.slices import audit_slices


def test_a_finding_is_a_row_and_no_text_is_markup() -> None:
    rng = np.random.default_rng(0)
    weak = rng.random(2_000) < 0.1
    hats = np.where(weak, "<script>", "no")
    table = pl.DataFrame({"<b>hat": hats, "size": rng.choice(["<= 32", "> 32"], 2_000)})
    errors = (rng.random(2_000) < np.where(weak, 0.6, 0.1)).astype(float)
    result = audit_slices(table, errors)
    html = result._repr_html_()
    assert "<b>" not in html
    assert "<script>" not in html
    assert "&lt;b&gt;hat = &lt;script&gt;" in html
    frame = result.to_polars()
    assert frame["slice"].to_list() == ["<b>hat = <script>"]
    assert frame["error"].to_list() == result.findings["error"].to_list()


def test_no_finding_is_said() -> None:
    table = pl.DataFrame({"hat": ["yes", "no"] * 200})
    result = audit_slices(table, np.zeros(400))
    assert "No weak slice found." in result._repr_html_()
    assert result.to_polars().height == 0
