"""The encoders there are: which is ready on this machine, what "auto" takes, and that a row says what it builds."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core import settings
from core.encoders import clip_models, marengo_models, registry
from core.errors import SettingsError
from tests.models import write_colour_model


@pytest.fixture
def load(tmp_path):
    def with_variables(**environ: str) -> settings.Settings:
        return settings.load({"DATA_DIR": str(tmp_path / "data"), **environ}, dotenv_path=None)

    return with_variables


@pytest.fixture
def model_dir(tmp_path) -> Path:
    return write_colour_model(tmp_path / "model")


def put_into_cache(model_dir: Path, cache: Path) -> None:
    """Lay a model out as huggingface_hub's cache does."""
    for half in ("vision", "text"):
        repo = cache / f"models--Qdrant--clip-ViT-B-32-{half}"
        (repo / "refs").mkdir(parents=True)
        (repo / "snapshots").mkdir()
        (repo / "refs" / "main").write_text("abc123")
        shutil.copytree(model_dir / half, repo / "snapshots" / "abc123")


def test_what_settings_allow_is_what_there_is():
    assert ("auto", *registry.NAMES) == settings.ENCODERS
    assert {"local", "clip", "twelvelabs"} <= set(registry.NAMES)


def test_auto_takes_the_first_that_is_ready(load, model_dir, tmp_path):
    assert load().encoder == "local"
    assert load(CLIP_MODEL_DIR=str(model_dir)).encoder == "clip"
    assert load(CLIP_MODEL_DIR=str(model_dir), TWELVE_LABS_API_KEY="tlk").encoder == "twelvelabs"
    assert load(CLIP_MODEL_DIR=str(model_dir), ENCODER="local").encoder == "local"
    put_into_cache(model_dir, tmp_path / "data" / "models")
    assert load().encoder == "clip"
    assert load(CLIP_MODEL="siglip2").encoder == "local"


def test_a_half_downloaded_model_is_not_taken(load, model_dir, tmp_path):
    cache = tmp_path / "data" / "models"
    put_into_cache(model_dir, cache)
    (cache / "models--Qdrant--clip-ViT-B-32-text" / "refs" / "main").unlink()
    assert load().encoder == "local"


def test_what_was_wanted_is_kept(load):
    assert (load().encoder_wanted, load(ENCODER="local").encoder_wanted) == ("auto", "local")


def test_one_that_is_named_and_not_ready_says_what_to_do_and_nothing_falls_back(load, tmp_path):
    missing = load(ENCODER="clip")
    assert missing.encoder == "clip"
    with pytest.raises(SettingsError, match="model get clip"):
        registry.named("clip").build(missing, registry.forget)
    incomplete = write_colour_model(tmp_path / "half")
    (incomplete / "text" / "tokenizer.json").unlink()
    elsewhere = load(ENCODER="clip", CLIP_MODEL_DIR=str(incomplete))
    with pytest.raises(SettingsError, match=r"tokenizer\.json"):
        registry.named("clip").build(elsewhere, registry.forget)


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_row_describes_what_it_builds(load, model_dir, name):
    keys = {"TWELVE_LABS_API_KEY": "tlk", "AWS_BUCKET_NAME": "bucket", "AWS_REGION": "us-east-1"}
    keys |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
    found = load(CLIP_MODEL_DIR=str(model_dir), ENCODER=name, **keys)
    row = registry.named(name)
    assert row.lacks(found) is None
    built = row.build(found, registry.forget)
    assert row.info(found) == built.info
    assert row.paid == built.info.paid


def test_one_is_described_also_where_it_is_not_ready(load):
    for row in registry.ENCODERS:
        assert row.info(load()).name


def test_every_variable_of_a_row_is_one_that_settings_read(load):
    source = Path(settings.__file__).read_text("utf-8")
    for row in registry.ENCODERS:
        assert all(f'"{variable}"' in source for variable in row.variables)


@pytest.mark.parametrize("row", registry.ENCODERS, ids=lambda row: row.name)
def test_a_space_of_any_row_is_known_by_its_name_alone(load, row):
    """Whatever is set now: the row and the settings found make the very space again."""
    ready = {"TWELVE_LABS_API_KEY": "tlk", "AWS_BUCKET_NAME": "bucket", "AWS_REGION": "us-east-1"}
    forms = [{"MARENGO_EMBEDDINGS": form} for form in ("fused", "side-by-side")]
    sizes = [(model.name, str(size)) for model in marengo_models.MODELS for size in model.dimensions]
    models = [{"TWELVELABS_MODEL": name, "TWELVELABS_DIMENSION": size} for name, size in sizes]
    made = {
        "twelvelabs": [model | form for model in models for form in forms],
        "bedrock": forms,
        "clip": [{"CLIP_MODEL": name} for name in clip_models.NAMES],
        "local": [{}],
    }
    infos = [row.info(load(ENCODER=row.name, **ready, **variables)) for variables in made[row.name]]
    assert len({info.name for info in infos}) == len(infos)
    for info in infos:
        found, asked = registry.filler(info.name)
        assert found is row, info.name
        assert row.info(replace(load(), encoder=row.name, **asked)) == info
