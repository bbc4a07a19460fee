# Commands for development, operation and CI. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export SAM_CLI_TELEMETRY := 0

include tests/tools.mk

PORT ?= 9000
EVENT ?= events/http-api.json

# x86_64 or arm64.
ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
TARGET := $(subst arm64,aarch64,$(ARCH))-unknown-linux-gnu
FUNCTION := target/lambda/passloom/bootstrap
SBOM := target/sbom/passloom.cdx.json

# Panic messages contain paths of source files. The paths of the project, the crates and the standard library on this
# machine are replaced, so that a commit gives the same bytes on every machine.
CRATES = $(or $(CARGO_HOME),$(HOME)/.cargo)
RUST_SOURCES = $(shell rustc --print sysroot)/lib/rustlib/src/rust
RUST_COMMIT = $(shell rustc -vV | sed -n 's/^commit-hash: //p')
REMAP = "--remap-path-prefix=$(CURDIR)=.", "--remap-path-prefix=$(CRATES)=cargo", \
	"--remap-path-prefix=$(RUST_SOURCES)=/rustc/$(RUST_COMMIT)"
# Cargo ignores `strip` in Cargo.toml for a package that has its own opt-level.
STRIP = "-Cstrip=symbols"

# The same packages and features in each command, so that cargo compiles the dependencies once. dev/Cargo.toml has
# the features that the tests need beyond those of the programs.
CARGO_BUILD := cargo build --locked --workspace --all-features
CARGO_TEST := cargo test --locked --workspace --all-features

.PHONY: help
help: ## List the commands.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-19s %s\n' "$$name" "$$text"; done

.PHONY: run
run: ## Run the service on 127.0.0.1:9000 (or PORT=…) with an embedded database and an API key.
	@# cargo-lambda is downloaded meanwhile.
	@$(MAKE) --silent $(CARGO_LAMBDA)/ready & $(CARGO_BUILD) --bin passloom --bin local; wait $$!
	@PATH="$(CURDIR)/$(CARGO_LAMBDA)/bin:$$PATH" exec target/debug/local run $(PORT)

.PHONY: database
database: ## Run the embedded database alone, for `cargo lambda watch`; its environment is in .local/env.
	@$(CARGO_BUILD) --bin local
	@exec target/debug/local database

.PHONY: invoke
invoke: $(CARGO_LAMBDA)/ready ## Send EVENT=events/….json to the function that `make run` has started (with the same PORT).
	@# `make run` has put the key into copies of the events, so that no command line contains it.
	@[ -e '.local/$(EVENT)' ] || { echo 'There is no .local/$(EVENT): make run creates those of events/.' >&2; exit 1; }
	@$(CARGO_LAMBDA)/bin/cargo-lambda lambda invoke _ --invoke-address 127.0.0.1 --invoke-port $(PORT) --data-file .local/$(EVENT)
	@echo

.PHONY: build
build: $(CARGO_LAMBDA)/ready ## Build the function, target/lambda/passloom/bootstrap, for ARCH=x86_64 or arm64.
	@if ! ls "$$(rustc --print sysroot)/lib/rustlib" | grep -qx '$(TARGET)'; then \
		echo "The Rust target $(TARGET) is missing. Add it with: rustup target add $(TARGET)" >&2; exit 1; fi
	@# RUSTFLAGS in the environment would override these flags and those of cargo-lambda.
	env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS $(CARGO_LAMBDA)/bin/cargo-lambda lambda build --release --locked \
		--compiler cargo --target $(TARGET) --bin passloom --config 'build.rustflags = [$(REMAP), $(STRIP)]'

.PHONY: deploy
deploy: $(SAM)/ready ## Build for ARCH and deploy to AWS. The first run asks for all parameters; CONFIRM=no asks for no confirmation.
	@# The first run saves the parameters in samconfig.toml.
	@if grep -q 'Architecture=' samconfig.toml && ! grep -q 'Architecture=."$(ARCH)' samconfig.toml; then \
		echo 'The build is for $(ARCH), but samconfig.toml has another Architecture.' >&2; exit 1; fi
	@$(MAKE) --no-print-directory build
	@confirm='$(if $(filter no,$(CONFIRM)),--no-confirm-changeset)'; deploy='$(SAM)/bin/sam deploy --no-fail-on-empty-changeset'; \
	if grep -q '^region' samconfig.toml; then $$deploy $$confirm; \
		else $$deploy --guided --parameter-overrides Architecture=$(ARCH); fi
	@echo 'Create the first key with the command in the output FirstKeyCommand above. It requires passloom-admin:'
	@echo '  cargo install --locked --path . --features admin --bin passloom-admin'
	@echo 'and AWS credentials in environment variables:'
	@echo '  eval "$$(aws configure export-credentials --format env)"'

.PHONY: destroy
destroy: $(SAM)/ready ## Delete the stack from AWS, except the resources that cannot be restored.
	@echo 'These resources are retained, because without them every key and the audit log are lost: the table, the'
	@echo 'signing secret in Secrets Manager, the log group of the audit log, and the KMS key if the stack has one.'
	@echo 'docs/operations.md describes how to delete them permanently.'
	$(SAM)/bin/sam delete

.PHONY: check
check: format clippy ## Check format and lints, and run the unit and end-to-end tests.
	$(CARGO_TEST) --lib --bins --test end_to_end --test documents

.PHONY: test
test: format clippy ## Check format and lints, and run the unit, end-to-end, contract and template tests on a debug build.
	$(CARGO_TEST) --no-fail-fast --lib --bins --test end_to_end --test documents --test fuzz
	$(CARGO_TEST) --doc
	$(MAKE) --no-print-directory contract template

.PHONY: verify
verify: build ## Run what `make test` leaves out: the release build, models, uniformity, clients, pages, DynamoDB Local, a soak.
	PASSLOOM_FUNCTION="$(CURDIR)/$(FUNCTION)" $(CARGO_TEST) --no-fail-fast \
		--test end_to_end --test rate_limit_model --test uniformity
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --all-features --no-deps --document-private-items
	$(MAKE) --no-print-directory tree lint template recipes clients generators browser test-dynamodb-local soak \
		TESTED=$(FUNCTION) SOAK_SECONDS=60

.PHONY: sbom
sbom: build ## Write the software bill of materials of the function (CycloneDX) to target/sbom.
	@mkdir -p $(dir $(SBOM))
	python3 tests/sbom.py $(TARGET) $(FUNCTION) > $(SBOM)
	@echo '$(SBOM)'

.PHONY: package
package: sbom ## Write the release files to target/package: a zip for Lambda, its bill of materials, checksums.
	@rm -rf target/package && mkdir -p target/package
	@install -m 755 $(FUNCTION) target/package/bootstrap
	@cp $(SBOM) target/package/passloom-$(ARCH).cdx.json
	@# A zip contains modification times. This is the earliest that the format allows.
	@touch -d '1980-01-01 00:00:00 UTC' target/package/bootstrap
	@cd target/package && TZ=UTC python3 -m zipfile -c passloom-$(ARCH).zip bootstrap
	@cd target/package && sha256sum bootstrap passloom-$(ARCH).zip passloom-$(ARCH).cdx.json | tee SHA256SUMS
	@rm target/package/bootstrap

.PHONY: clean
clean: ## Delete builds, installed tools and local data, including the API key of `make run`.
	rm -rf target .tools .local

include tests/tests.mk
include benches/benches.mk
