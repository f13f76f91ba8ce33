# Each target is what a person does. `make run` is the product, `make test` is the whole proof.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.PHONY: run test check e2e ci bench bench-small module tools ui

run: tools ui ## start Fondaco on ./data with the demo, build first
	cargo build --quiet --release --workspace --bins
	exec target/release/fondaco serve --demo

test: tools check ## everything: lint, budgets, unit, database, HTTP, browser
	cargo xtask with-database cargo nextest run --workspace
	cd web && npm test
	cd .. && cargo xtask e2e -speed

check: ui ## format, lint, dependency directions, docs, what the pages may weigh and cost
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets
	cargo xtask check
	cd web && npm run --silent lint
	cd .. && cargo build --quiet --workspace --bins
	cargo xtask e2e speed

e2e: ui ## the journeys in a browser, where one is found
	cargo build --quiet --workspace --bins
	cargo xtask e2e

ci: test

bench: ## our endpoints against pgbench with the same statements, 1M orders; docs/performance.md
	cargo build --quiet --release --workspace --bins
	target/release/bench

bench-small: ## the same in three minutes; fails when a goal is missed
	cargo build --quiet --release --workspace --bins
	target/release/bench small

module: ## make module NAME=x: a new module that passes conformance
	cargo xtask module $(NAME)

tools:
	@missing=()
	for tool in cargo node npm; do command -v $$tool >/dev/null || missing+=($$tool); done
	[ $${#missing[@]} -eq 0 ] || { echo "Missing: $${missing[*]}. Fondaco is built with Rust (https://rustup.rs) and Node 20 or newer."; exit 1; }
	if [ -z "$${DATABASE_URL:-}" ] && ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Missing: PostgreSQL 15 or newer. Install its package, or set DATABASE_URL."; exit 1; }
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
	fi

ui: web/dist/index.html

web/dist/index.html: $(shell find web/src web/public web/index.html web/package.json web/package-lock.json web/vite.config.ts -type f 2>/dev/null)
	cd web
	[ -d node_modules ] && [ node_modules -nt package-lock.json ] || { npm ci --no-audit --no-fund --silent && touch node_modules; }
	npm run --silent build
	touch dist/index.html
