# The commands a person needs; `make` lists them. What they do is in deploy/dev/, described in docs/development.md.
.DEFAULT_GOAL := help
.PHONY: help up down test browser lint operations fmt chaos fuzz sqlx bench
dev := deploy/dev
# `make test ONLY='-p events money'`: arguments of `cargo nextest run` that choose tests.
ONLY ?=
# `make bench BENCH='--only worker --rounds 5'`: arguments of the program; `--help` lists them.
BENCH ?=

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 8

up: ## set up everything, start all services and the emulator, and send a sample order through them
	@$(dev)/up.sh

down: ## stop what `make up` started
	@$(dev)/down.sh

test: ## run every test against a real broker and database (some: make test ONLY='-p events money')
	@$(dev)/test.sh $(ONLY)

browser: ## the pages of admin and marking in a headless Chromium (needs the packages chromium and chromium-driver)
	@$(dev)/test.sh -p admin -p marking --features admin/browser,marking/browser --test browser

lint: ## check format, lints, docs, dependencies and scripts
	@$(dev)/lint.sh

operations: ## hold manifests, Compose, image, alarms and units against schemas and policies (MODE=strict: what cannot be checked fails)
	@$(dev)/operations.sh $(MODE)

fmt: ## format the code
	@cargo fmt --all

chaos: ## the long runs: thousands of orders while everything is killed at random
	@PAROM_CHAOS=long NEXTEST_PROFILE=long $(dev)/test.sh -E 'test(/chaos/)'

fuzz: ## the property tests with very many generated cases each (CASES=100000)
	@PROPTEST_CASES=$(or $(CASES),100000) PAROM_FUZZ_SECONDS=60 PAROM_SEED=$(or $(PAROM_SEED),$$(od -An -N7 -tu8 /dev/urandom | tr -d ' ')) NEXTEST_PROFILE=long $(dev)/test.sh -p events -p bitrix -p marking -p egais -E 'package(events) | package(bitrix) | test(/^import::|^fuzz::/)'

bench: ## how fast and how small it is, beside programs that do the bare minimum (BENCH='--only worker' for a part)
	@SQLX_OFFLINE=true cargo build --quiet --release -p figures -p ingress -p fiscal -p status -p emulator --bins
	@$(or $(CARGO_TARGET_DIR),target)/release/bench $(BENCH)

sqlx: ## check the queries against a fresh database and write .sqlx
	@$(dev)/sqlx.sh
