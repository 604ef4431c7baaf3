# Peerline: every verb a developer needs. `make help` lists them.
# What a verb needs is installed and built first; what is there already is not built again.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
STAMPS := .cache/stamps
export CARGO_TARGET_DIR := $(CURDIR)/target
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml 2>/dev/null)
WEB_SOURCES := $(shell find web/app web/sdk/src -type f -not -path '*/node_modules/*' -not -path '*/test/*' 2>/dev/null) web/vite.config.ts web/tsconfig.json \
	src/peerline/sdp/explanations.json

.PHONY: help setup serve test check test-python test-rust test-web test-e2e natlab turn-interop turn-abuse peer-endurance test-slow fuzz fuzz-sdp page protocol wheel format lock clean conformance \
	bench-boundary bench-signaling bench-call-setup bench-turn bench-peer bench-media bench-bitrate bench-codecs bench-loss

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(STAMPS)/page $(STAMPS)/core ## install and build everything into .venv

serve: setup ## run the server: http://localhost:8080
	@exec $(VENV)/bin/peerline serve

test: setup $(STAMPS)/test-system check test-rust test-web test-python test-e2e ## everything that CI runs
	@echo "All tests passed."

check: setup ## formatting, types, lints, floors
	$(VENV)/bin/ruff format --check src tests benchmarks
	$(VENV)/bin/ruff check src tests benchmarks
	$(VENV)/bin/mypy
	PYTHONPATH=src $(VENV)/bin/lint-imports --no-cache >/dev/null || PYTHONPATH=src $(VENV)/bin/lint-imports --no-cache
	$(PY) -m peerline.signaling.typescript --check
	PYTHONPATH=tests $(PY) tests/sdp/explained.py --check
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	cd web && npm run --silent check
	web/node_modules/.bin/pyright --pythonpath $(PY) examples >/dev/null || web/node_modules/.bin/pyright --pythonpath $(PY) examples

test-rust: ## the packet core alone
	cargo test --workspace --locked --quiet

test-web: $(STAMPS)/node ## the SDK and the page, without a browser
	cd web && npm test --silent

# Most tests wait for sockets, so three run at a time.
# These encode and decode: by themselves, or others miss their times.
BUSY := tests/media
# These load the machine or look at what else runs on it: one at a time.
ALONE := tests/system tests/interop tests/lab tests/packaging

test-python: setup $(STAMPS)/test-system ## the server, against real sockets and databases
	scripts/with-postgres.sh $(PY) -m pytest tests --ignore=tests/e2e $(BUSY:%=--ignore=%) $(ALONE:%=--ignore=%) -n 3 --dist loadfile -q
	$(PY) -m pytest $(BUSY) -n 2 --dist loadfile -q
	scripts/with-postgres.sh $(PY) -m pytest $(ALONE)

test-e2e: setup $(STAMPS)/test-system ## two people call each other in a real Chromium
	$(PY) -m pytest tests/e2e

natlab: setup $(STAMPS)/test-system ## browsers call each other behind every pair of NATs; writes docs/nat-matrix.md
	@scripts/system.sh natlab
	$(PY) -m pytest tests/lab/test_matrix.py --matrix docs/nat-matrix.md

turn-interop: setup $(STAMPS)/test-system ## the TURN server with the clients of coturn, aioice and Pion, in all their modes
	@scripts/system.sh natlab
	$(PY) -m pytest tests/turn -m "long or not long" -k "uclient or aioice or pion"

turn-abuse: setup $(STAMPS)/test-system ## the TURN server against floods, liars, slow clients and kill -9
	$(PY) -m pytest tests/turn -m "long or not long" -k "not uclient and not aioice and not pion"

peer-endurance: setup ## a gigabyte through a data channel, a thousand connections opened and closed
	$(PY) -m pytest tests/interop/test_endurance.py -m long

# Their lines say what each side heard and saw: -s shows them.
test-slow: setup $(STAMPS)/test-system ## what takes long: calls of minutes under loss, then natlab, turn-interop, turn-abuse, peer-endurance
	$(PY) -m pytest tests/slow -m long -s
	@$(MAKE) natlab turn-interop turn-abuse peer-endurance

# What a run finds new goes into .cache/fuzz; `cargo fuzz cmin` makes it worth keeping.
FUZZ_TARGETS := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
TARGET ?= $(FUZZ_TARGETS)
SECONDS ?= 600

fuzz: $(STAMPS)/cargo-fuzz ## every fuzz target for SECONDS=600, one after the other; TARGET=turn for one
	@for target in $(TARGET); do \
	  mkdir -p .cache/fuzz/$$target && echo "== $$target" && \
	  env -u CARGO_TARGET_DIR RUSTC_BOOTSTRAP=1 cargo fuzz run -s none $$target .cache/fuzz/$$target fuzz/corpus/$$target -- \
	    -max_total_time=$(SECONDS) -max_len=1500 -print_final_stats=1 || exit 1; \
	done

JOBS ?= 2

conformance: setup ## the Web Platform Tests beside Chromium: WPT_ROOT=wpt WPT_RUNNER=wpt-runner [JOBS=2] [ONLY='RTCDataChannel-*']
	@PYTHONPATH=tests $(PY) -m conformance.run --root "$(WPT_ROOT)" --runner "$(WPT_RUNNER)" --jobs $(JOBS) --only "$(ONLY)"

fuzz-sdp: setup ## broken descriptions and candidates for SECONDS=600; SEED=n repeats one round
	PYTHONPATH=tests $(PY) -m property.fuzz_sdp --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

page: $(STAMPS)/page ## build the web page into the package

protocol: $(STAMPS)/python ## write the TypeScript types of the protocol
	PYTHONPATH=src $(PY) -m peerline.signaling.typescript

wheel: setup ## dist/*.whl and dist/*.tar.gz
	$(VENV)/bin/maturin build --release --locked --sdist --out dist --interpreter $(PY)

bench-boundary: setup ## what an event costs on its way from Rust into asyncio
	$(PY) benchmarks/bench_boundary.py

bench-signaling: setup ## relayed messages per CPU-second, latency, memory; against the peer server from npm
	$(PY) benchmarks/bench_signaling.py

bench-call-setup: setup $(STAMPS)/test-system ## from the click to Connected on both sides
	$(PY) benchmarks/bench_call_setup.py

bench-turn: setup ## CPU per relayed packet against coturn; GENERATOR=turnload.c, FORWARDER=fwd.c if wanted
	@scripts/system.sh natlab
	$(PY) benchmarks/bench_turn.py --generator $(GENERATOR) $(if $(FORWARDER),--forwarder $(FORWARDER))

bench-loss: ## data channels over links that delay and lose, in virtual time: what congestion control allows
	cargo run --release --locked --quiet -p peerline-netsim --example throughput

bench-bitrate: setup $(STAMPS)/test-system ## whether b= holds, with a real Chromium, both ways
	$(PY) benchmarks/bench_bitrate.py

bench-codecs: setup ## what encoders make of a new bitrate, and what they cost
	$(PY) benchmarks/bench_codecs.py

bench-media: setup ## media against aiortc: encoded packets, mouth to ear, idle pairs
	$(PY) benchmarks/bench_media.py

bench-peer: setup ## data channels, set-up and memory of peer connections, against aiortc
	$(PY) benchmarks/bench_peer.py

format: setup ## write everything in the house's format
	$(VENV)/bin/ruff check --fix src tests benchmarks
	$(VENV)/bin/ruff format src tests benchmarks
	cargo fmt --all
	cd web && npm run --silent format

lock: ## pin the Python packages anew
	uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --no-header -o requirements.lock

clean: ## remove everything that was built or installed here
	rm -rf $(VENV) .cache target dist web/node_modules web/sdk/dist src/peerline/server/static .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
	rm -f src/peerline/_core*.so

# What has to be there, each with a stamp ----------------------------------------------------------------

$(STAMPS)/system: scripts/system.sh
	@mkdir -p $(@D)
	@scripts/system.sh build
	@touch $@

$(STAMPS)/test-system: scripts/system.sh
	@mkdir -p $(@D)
	@scripts/system.sh test
	@touch $@

$(STAMPS)/cargo-fuzz:
	@mkdir -p $(@D)
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz --version 0.13.2
	@touch $@

$(STAMPS)/python: requirements.lock $(STAMPS)/system
	@echo "== Python packages"
	@test -x $(PY) || python3 -m venv $(VENV)
	@test -x $(VENV)/bin/uv || $(PY) -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/uv pip sync --quiet --python $(PY) requirements.lock
	@test -x $(VENV)/bin/uv || $(PY) -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(STAMPS)/node: web/package-lock.json web/package.json $(STAMPS)/system
	@echo "== Web packages"
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/page: $(WEB_SOURCES) $(STAMPS)/node
	@echo "== The page"
	cd web && npm run --silent build
	@touch $@

$(STAMPS)/core: $(RUST_SOURCES) pyproject.toml $(STAMPS)/python
	@echo "== The packet core (the first build takes a minute or two)"
	$(VENV)/bin/maturin develop --release --locked --quiet --skip-install
	@$(VENV)/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable . --config-settings build-args=--locked
	@touch $@
