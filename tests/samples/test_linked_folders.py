"""Files behind links: those within the images folder are read, those that lead out are not."""

from pathlib import Path

from PIL import Image

from pipeline.samples.files import read_files


def write_image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3)).save(path)
    return path


def test_a_folder_that_is_a_link_counts_by_where_it_leads(tmp_path: Path) -> None:
    root = tmp_path / "images"
    write_image(root / "real" / "a.png")
    write_image(tmp_path / "secret" / "b.png")
    (root / "within").symlink_to(root / "real")
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "real" / "back").symlink_to(tmp_path / "secret")
    paths = ["real/a.png", "within/a.png", "loop/real/a.png", "out/b.png", "out/none.png",
             "real/back/b.png", "real/none.png", "gone/none.png"]  # fmt: skip
    found = read_files(paths, root=root, known=None, threads=1, progress=None)
    assert found.files["path"].to_list() == paths[:3]
    shown = dict(found.rejects.select("path", "reason").iter_rows())
    leads_out = "is a link that leads out of the images folder"
    missing = "there is no such file"
    assert [shown[path] for path in paths[3:]] == [leads_out] * 3 + [missing] * 2
