import pytest

from vitrion_models.files import whole_file


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "model.json"
    with whole_file(path) as partial:
        partial.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as partial:  # noqa: PT012 - dies half way
        partial.write_text("ne")
        raise KeyboardInterrupt
    assert [file.read_text() for file in path.parent.iterdir()] == ["old"]
