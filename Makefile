# make app    set up once, then start the app on http://127.0.0.1:8501
# make test   set up once, then run every test
# make check  lint, types and the quick tests: what to run before a commit
# make study  make artifacts/ anew from the RAVDESS clips in SER_DATA_DIR, but for the networks, which stay
# make deep   make the networks of artifacts/ that are not there (delete a run to make it anew); VGG16 may be named by
#             SER_VGG16_WEIGHTS

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
APT := $(if $(filter 0,$(shell id -u)),,sudo )apt-get
TYPES := $(BIN)/mypy
PINS := requirements.txt requirements-train.txt requirements-cluster.txt requirements-postgres.txt requirements-onnx.txt
export SER_DATA_DIR ?= $(if $(wildcard ../shared/data/ravdess),../shared/data/ravdess,workspace/ravdess)

.PHONY: app test check study deep bench lint clean

app: .venv/.app-installed
	$(BIN)/streamlit run app.py

test: lint
	$(TYPES)
	$(BIN)/pytest

check: lint
	$(TYPES)
	$(BIN)/pytest -m "not slow"

lint: .venv/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

study: .venv/.app-installed
	$(BIN)/python -m ser_core study

deep: .venv/.app-installed
	$(BIN)/python -m ser_core study --deep

bench: .venv/.test-installed
	$(BIN)/python -m benchmarks.features
	$(BIN)/python -m benchmarks.images
	$(BIN)/python -m benchmarks.prediction
	$(BIN)/python -m benchmarks.evaluation
	$(BIN)/python -m benchmarks.significance
	$(BIN)/python -m benchmarks.runs
	$(BIN)/python -m benchmarks.corpora 2500 10000
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.visitors
	$(BIN)/python -m benchmarks.hostile
	$(BIN)/python -m benchmarks.tuning
	$(BIN)/python -m benchmarks.scaling
	$(BIN)/python -m benchmarks.tuning_page
	$(BIN)/python -m benchmarks.networks
	$(BIN)/python -m benchmarks.networks --memory

clean:
	rm -rf .venv workspace build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version). Say which: make app PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

# The checkout itself is installed, too: `ser` and `import ser_core` work from any folder. What librosa compiles is
# compiled here, by one process alone.
.venv/.app-installed: $(PINS) pyproject.toml setup.py | .venv/bin/python
	$(PIP) $(PINS:%=-r %)
	$(PIP) --no-deps -e .
	$(BIN)/python -c "from ser_core.compiled import fill_cache; fill_cache()"
	@touch $@

# The browser tests drive the system's Chromium; studies are shared over a real PostgreSQL server.
.venv/.test-installed: requirements-dev.txt requirements-opensmile.txt requirements-mlflow.txt .venv/.app-installed | .venv/bin/python
	$(PIP) -r requirements-dev.txt
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ $(APT) update -qq && $(APT) install -y -qq chromium; }
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		{ $(APT) update -qq && $(APT) install -y -qq postgresql; }
	@touch $@
