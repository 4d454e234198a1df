"""Settings: where they come from, and the sentence for each that is wrong."""

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load


def settings(**environ: str):
    return load(environ, dotenv_path=None)


def test_nothing_set_means_no_account():
    found = settings()
    assert (found.encoder, found.qdrant_url, found.aws_bucket) == ("local", None, None)
    assert found.data_dir == Path("data")
    assert found.max_upload_bytes == 500 * 1024 * 1024


def test_the_environment_wins_over_dotenv_and_dotenv_over_secrets(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("DATA_DIR=from-dotenv\nMAX_UPLOAD_MB=7\n")
    secrets = {"DATA_DIR": "from-secrets", "MAX_UPLOAD_MB": 8, "QDRANT_COLLECTION": "from_secrets"}
    found = load({"DATA_DIR": "from-environment"}, dotenv, secrets)
    assert (str(found.data_dir), found.max_upload_mb, found.qdrant_collection) == (
        "from-environment",
        7,
        "from_secrets",
    )


def test_blank_counts_as_unset():
    assert settings(ENCODER=" ", TWELVE_LABS_API_KEY="").encoder == "local"


@pytest.mark.parametrize("name", ["TWELVE_LABS_API_KEY", "API_KEY"])
def test_auto_means_twelvelabs_when_its_key_is_set(name):
    assert settings(**{name: "tlk_secret"}).encoder == "twelvelabs"
    assert settings(**{name: "tlk_secret", "ENCODER": "local"}).encoder == "local"


def test_the_tutorials_names_are_accepted():
    found = settings(
        QDRANT_HOST="xyz.cloud.qdrant.io:6333", AWS_ACCESS_KEY="a", AWS_SECRET_KEY="b", AWS_BUCKET_NAME="c"
    )
    assert found.qdrant_url == "https://xyz.cloud.qdrant.io:6333"
    assert (found.aws_access_key, found.aws_secret_key, found.aws_bucket) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"ENCODER": "gpt"}, ["ENCODER", "local", "twelvelabs"]),
        ({"ENCODER": "twelvelabs"}, ["TWELVE_LABS_API_KEY"]),
        ({"MAX_UPLOAD_MB": "a lot"}, ["MAX_UPLOAD_MB", "whole number"]),
        ({"MAX_UPLOAD_MB": "0"}, ["MAX_UPLOAD_MB", "1"]),
        ({"MAX_UPLOAD_MB": "-5"}, ["MAX_UPLOAD_MB"]),
        ({"S3_PUBLIC_READ": "maybe"}, ["S3_PUBLIC_READ", "true or false"]),
        ({"QDRANT_URL": "ftp://x"}, ["QDRANT_URL", "http"]),
        ({"AWS_ENDPOINT_URL": "minio:9000"}, ["AWS_ENDPOINT_URL", "http"]),
        ({"TWELVELABS_MODEL": "Marengo-retrieval-2.7"}, ["TWELVELABS_MODEL", "retired", "marengo3.0", "anew"]),
        ({"MARENGO_EMBEDDINGS": "apart"}, ["MARENGO_EMBEDDINGS", "side-by-side", "fused"]),
        ({"TWELVELABS_MODEL": "marengo9"}, ["TWELVELABS_MODEL", "marengo3.0", "marengo3.5"]),
        ({"TWELVELABS_DIMENSION": "256"}, ["TWELVELABS_DIMENSION", "512", "marengo3.5"]),
        ({"TWELVELABS_MODEL": "marengo3.5", "TWELVELABS_DIMENSION": "many"}, ["TWELVELABS_DIMENSION", "128, 256, 512"]),
        ({"TWELVELABS_MODEL": "marengo3.5", "TWELVELABS_DIMENSION": "32"}, ["TWELVELABS_DIMENSION", "128, 256, 512"]),
        ({"TWELVELABS_MODEL": "marengo3.5", "TWELVELABS_DIMENSION": "4096"}, ["TWELVELABS_DIMENSION", "512"]),
        ({"CLIP_MODEL": "vit"}, ["CLIP_MODEL", "clip", "siglip2", "jina-clip"]),
        ({"CLIP_THREADS": "none"}, ["CLIP_THREADS", "from 1"]),
        ({"TWELVELABS_CONCURRENCY": "0"}, ["TWELVELABS_CONCURRENCY", "from 1"]),
    ],
)
def test_a_wrong_value_gets_a_sentence_naming_the_variable_and_what_is_allowed(environ, names):
    with pytest.raises(SettingsError) as caught:
        settings(**environ)
    assert all(name in str(caught.value) for name in names)
    assert str(caught.value).endswith(".")


def test_a_model_takes_half_the_cores_unless_it_is_said(monkeypatch):
    for cores, threads in ((8, 4), (3, 1), (1, 1), (None, 1)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert settings().clip_threads == threads
    assert settings(CLIP_THREADS="6").clip_threads == 6


def test_secrets_do_not_show():
    found = settings(TWELVE_LABS_API_KEY="tlk_hidden", QDRANT_API_KEY="q_hidden", AWS_SECRET_ACCESS_KEY="s_hidden")
    assert "hidden" not in repr(found)


def test_every_variable_is_in_the_example_and_in_the_readme():
    root = Path(__file__).parents[1]
    source = (root / "core/settings.py").read_text()
    import re

    names = set(re.findall(r'"([A-Z][A-Z0-9_]{5,})"', source)) - {"AWS_DEFAULT_REGION"}
    assert len(names) > 12
    for document in (".env.example", "README.md"):
        text = (root / document).read_text("utf-8")
        assert not {name for name in names if name not in text}, document


@pytest.mark.parametrize(
    ("watch", "data"), [("films", "films/data"), ("data/media", "data"), ("data", "data"), ("films", "films")]
)
def test_a_watched_folder_holds_nothing_of_the_app_and_the_other_way_round(tmp_path, watch, data):
    with pytest.raises(SettingsError, match=r"WATCH_DIR is .* Set WATCH_DIR to a folder apart"):
        load({"WATCH_DIR": str(tmp_path / watch), "DATA_DIR": str(tmp_path / data)}, None)
    settings = load({"WATCH_DIR": str(tmp_path / "films"), "DATA_DIR": str(tmp_path / "data")}, None)
    assert settings.watch_dir == tmp_path / "films"


def test_a_watched_folder_holds_no_exports(tmp_path):
    with pytest.raises(SettingsError, match="EXPORT_DIR"):
        load({"WATCH_DIR": str(tmp_path / "all"), "EXPORT_DIR": str(tmp_path / "all/out")}, None)
