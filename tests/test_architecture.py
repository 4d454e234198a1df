"""Hold the import law of docs/decisions.md by reading the imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOMES = {
    "streamlit": ("streamlit_app.py", "pages/"),
    "twelvelabs": (
        "core/encoders/twelvelabs.py",
        "core/encoders/twelvelabs_errors.py",
        "core/encoders/twelvelabs_upload.py",
    ),
    "boto3": ("core/stores/s3.py", "core/encoders/bedrock_aws.py"),
    "botocore": ("core/stores/s3.py", "core/encoders/bedrock_aws.py"),
    "s3transfer": ("core/stores/s3.py", "core/encoders/bedrock_aws.py"),
    "qdrant_client": (
        "core/index/connection.py",
        "core/index/server.py",
        "core/index/server_spaces.py",
        "core/index/sizing.py",
    ),
    "qdrant_edge": ("core/index/edge.py", "core/index/trial.py"),
    "av": (
        "core/ingest/captions.py",
        "core/ingest/decoding.py",
        "core/ingest/inspecting.py",
        "core/ingest/joined.py",
        "core/ingest/playable.py",
        "core/ingest/cutting.py",
        "core/ingest/frames.py",
        "core/ingest/subtitles.py",
        "core/ingest/titles.py",
        "core/ingest/sampling.py",
        "core/samples/film.py",
    ),
    "fastembed": ("core/encoders/clip.py",),
    "onnxruntime": (),
    "huggingface_hub": ("core/encoders/clip_download.py",),
    "starlette": ("core/serving/",),
    "prometheus_client": ("core/serving/metrics.py",),
    "itsdangerous": ("core/access/access.py",),
    "sqlalchemy": ("core/state/",),
    "alembic": ("core/state/migrate.py", "core/state/migrations/"),
    "sqlite3": ("core/state/sqlite.py", "core/index/spare.py"),
    "procrastinate": ("core/state/engine.py",),
    "psycopg": ("core/state/postgres.py",),
    "pyarrow": ("core/library/vectors.py",),
}
BACKENDS = ("core.encoders.", "core.stores.", "core.index.")
MAX_PAGE_LINES = 130


def sources() -> list[str]:
    files = [ROOT / "streamlit_app.py", *(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return sorted(str(file.relative_to(ROOT)) for file in files)


def imports(source: str, top_level_only: bool = False) -> set[str]:
    """Return the modules a file imports; `from core import x` counts as core.x."""
    tree = ast.parse((ROOT / source).read_text("utf-8"))
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(source: str) -> set[str]:
    return {name for name in imports(source) if name.startswith(("core.", "pages."))}


@pytest.mark.parametrize("source", sources())
def test_each_sdk_has_one_home(source):
    for package in {name.split(".")[0] for name in imports(source)} & HOMES.keys():
        assert source.startswith(HOMES[package]), f"{source} imports {package}"


@pytest.mark.parametrize("source", [s for s in sources() if s.startswith("core/")])
def test_core_never_imports_pages(source):
    assert not {name for name in ours(source) if name.startswith("pages")}


@pytest.mark.parametrize("source", ["core/models.py", "core/errors.py"])
def test_the_words_of_the_house_import_nothing_of_ours(source):
    assert not ours(source)


LIGHT = (
    "core.encoders.registry",
    "core.encoders.clip_models",
    "core.encoders.marengo_models",
    "core.encoders.clip_download",
    "core.encoders.warming",
)
"""What there is and how to get it: they lie among the backends, are none, and load none until they are asked to."""


def test_settings_import_only_errors_the_tables_of_encoders_and_the_policy_of_access():
    allowed = ("core.errors", *LIGHT[:3], "core.access.policy", "core.access.limits", "core.logs")
    assert all(
        name.startswith(allowed) or name in ("core.encoders", "core.access", "core")
        for name in ours("core/settings.py")
    )
    tables = ("core/access/policy.py", "core/access/limits.py", "core/logs.py")
    assert all(name.startswith("core.errors") for table in tables for name in ours(table))


@pytest.mark.parametrize("source", [f"{name.replace('.', '/')}.py" for name in LIGHT])
def test_the_tables_of_encoders_load_none(source):
    names = imports(source, top_level_only=True)
    assert not {name.split(".")[0] for name in names} & HOMES.keys()
    assert not {name for name in names if name.startswith("core.encoders.") and not name.startswith(LIGHT)}


@pytest.mark.parametrize("source", [s for s in sources() if s.endswith("/base.py")])
def test_a_base_imports_only_models_and_errors(source):
    assert all(name.startswith(("core.models", "core.errors")) for name in ours(source))


@pytest.mark.parametrize("source", [s for s in sources() if s.startswith(("core/ingest/", "core/discover/"))])
def test_use_cases_know_protocols_never_backends(source):
    backends = {n for n in ours(source) if n.startswith(BACKENDS) and ".base" not in n}
    assert not backends


@pytest.mark.parametrize("source", [s for s in sources() if s.startswith("core/") and s != "core/services.py"])
def test_only_the_composition_root_knows_backends(source):
    family = next(
        (family.replace(".", "/") for family in BACKENDS if source.startswith(family.replace(".", "/"))), None
    )
    for name in ours(source):
        inside = family and name.replace(".", "/").startswith(family)
        light = name.startswith(LIGHT)
        assert inside or light or not name.startswith(BACKENDS) or ".base" in name, f"{source} imports {name}"


def test_the_composition_root_loads_backends_only_when_chosen():
    assert not {
        n
        for n in imports("core/services.py", top_level_only=True)
        if n.startswith(BACKENDS) and ".base" not in n and not n.startswith(LIGHT)
    }


@pytest.mark.parametrize("page", sorted(str(p.relative_to(ROOT)) for p in (ROOT / "pages").glob("*.py")))
def test_a_page_is_short_and_knows_neither_backends_nor_other_pages(page):
    assert len((ROOT / page).read_text("utf-8").splitlines()) <= MAX_PAGE_LINES
    for name in ours(page):
        assert not name.startswith(BACKENDS)
        assert not name.startswith("pages.") or name.startswith("pages.components")


PAGE_SOURCES = [source for source in sources() if source.startswith("pages/")]


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a file with what is called, as it is written."""
    for node in ast.walk(ast.parse((ROOT / source).read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("source", [s for s in PAGE_SOURCES if s != "pages/components/state.py"])
def test_the_state_of_pages_has_one_home(source):
    assert "session_state" not in (ROOT / source).read_text("utf-8")


@pytest.mark.parametrize("source", [s for s in PAGE_SOURCES if s != "pages/components/boundary.py"])
def test_every_callback_and_fragment_has_a_boundary_round_it(source):
    tree = ast.parse((ROOT / source).read_text("utf-8"))
    safe = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("safely(")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for name, call in calls(source):
        for keyword in call.keywords:
            if keyword.arg in ("on_click", "on_change", "on_submit", "on_select"):
                given = ast.unparse(keyword.value)
                assert given.startswith("safely(") or given in safe, f"{source}:{call.lineno}: {given}"
        assert name not in ("st.fragment", "st.rerun"), f"{source}:{call.lineno}: boundary.py has these"
    decorators = [ast.unparse(one) for node in ast.walk(tree) for one in getattr(node, "decorator_list", ())]
    assert not any(one.startswith("st.fragment") for one in decorators)


@pytest.mark.parametrize("source", PAGE_SOURCES)
def test_no_field_drops_what_is_too_long(source):
    """Streamlit lets a paste that is longer than `max_chars` vanish whole and says nothing; core says what is wrong."""
    for _, call in calls(source):
        assert "max_chars" not in [keyword.arg for keyword in call.keywords], f"{source}:{call.lineno}"


@pytest.mark.parametrize("source", [*PAGE_SOURCES, "streamlit_app.py"])
def test_pages_end_no_error_that_has_no_sentence(source):
    for node in ast.walk(ast.parse((ROOT / source).read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{source}:{node.lineno}"
            assert ast.unparse(node.type) not in ("Exception", "BaseException"), f"{source}:{node.lineno}"
