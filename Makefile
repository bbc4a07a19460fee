# Everything a developer, an operator and CI run. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export SAM_CLI_TELEMETRY := 0

# Tools that no Rust machine has, each in a folder of its own under .tools.
CARGO_LAMBDA_VERSION := 1.9.2
SAM_VERSION := 1.170.0
CFN_LINT_VERSION := 1.58.0
SCHEMATHESIS_VERSION := 4.32.5
CHECKOV_VERSION := 3.3.30
MOTO_VERSION := 5.2.5
AWSCLI_VERSION := 1.46.3
BOTO3_VERSION := 1.44.5
REQUESTS_VERSION := 2.34.2
SAM_TRANSLATOR_VERSION := 1.115.0
OPENAPI_VALIDATOR_VERSION := 0.9.0
CARGO_DENY_VERSION := 0.20.2
CARGO_LAMBDA := .tools/cargo-lambda-$(CARGO_LAMBDA_VERSION)
SAM := .tools/sam-$(SAM_VERSION)
CFN_LINT := .tools/cfn-lint-$(CFN_LINT_VERSION)
CHECKOV := .tools/checkov-$(CHECKOV_VERSION)
CARGO_DENY := .tools/cargo-deny-$(CARGO_DENY_VERSION)
# A cloud to test in, and clients of it.
CLOUD := .tools/cloud-$(MOTO_VERSION)
# The references of the benchmarks, and what they are made of.
BENCH := .tools/bench
REFERENCES := benches/references
PYTHON := $(shell python3 -c 'import sys; print(sys.executable)')
SCHEMATHESIS := $(CURDIR)/.tools/schemathesis-$(SCHEMATHESIS_VERSION)

# x86_64 or arm64.
ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
TARGET := $(subst arm64,aarch64,$(ARCH))-unknown-linux-gnu
FUNCTION := target/lambda/passloom/bootstrap
SBOM := target/sbom/passloom.cdx.json

# A panic names its place in the source. Where the project, the crates and the sources of the standard library
# lie on this machine, if it has them, must not be in that name: the same commit is the same function anywhere.
CRATES = $(or $(CARGO_HOME),$(HOME)/.cargo)
RUST_SOURCES = $(shell rustc --print sysroot)/lib/rustlib/src/rust
RUST_COMMIT = $(shell rustc -vV | sed -n 's/^commit-hash: //p')
REMAP = "--remap-path-prefix=$(CURDIR)=.", "--remap-path-prefix=$(CRATES)=cargo", \
	"--remap-path-prefix=$(RUST_SOURCES)=/rustc/$(RUST_COMMIT)"
# What Cargo.toml says of symbols, cargo forgets for a package with an opt-level of its own.
STRIP = "-Cstrip=symbols"

PORT ?= 9000
EVENT ?= events/http-api.json
EXAMPLES ?= 30

# Crates that have no place in the function: the embedded database and what aws-config would cost.
UNWANTED := dynoxide-rs rusqlite libsqlite3-sys aws-config aws-lc-rs aws-lc-sys openssl-sys

.PHONY: help
help: ## List the commands.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-18s %s\n' "$$name" "$$text"; done

.PHONY: run
run: $(CARGO_LAMBDA)/ready ## Serve on 127.0.0.1:9000 (or PORT=…) with an embedded database and a key.
	@cargo build --locked --bin passloom-keys --example local
	@PATH="$(CURDIR)/$(CARGO_LAMBDA)/bin:$$PATH" exec target/debug/examples/local $(PORT)

.PHONY: invoke
invoke: $(CARGO_LAMBDA)/ready ## Send EVENT=events/….json to what `make run` serves (at the same PORT).
	@mkdir -p .local
	@sed "s/PASSLOOM_API_KEY/$$(cat .local/api-key)/" $(EVENT) > .local/event.json
	@$(CARGO_LAMBDA)/bin/cargo-lambda lambda invoke passloom --invoke-address 127.0.0.1 --invoke-port $(PORT) --data-file .local/event.json
	@echo

.PHONY: build
build: $(CARGO_LAMBDA)/ready ## Build target/lambda/passloom/bootstrap, for ARCH=x86_64 or arm64.
	@if ! ls "$$(rustc --print sysroot)/lib/rustlib" | grep -qx '$(TARGET)'; then \
		echo "The Rust target $(TARGET) is missing. Add it with: rustup target add $(TARGET)" >&2; exit 1; fi
	@# RUSTFLAGS, had this shell any, would push aside these flags and those of cargo-lambda.
	env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS $(CARGO_LAMBDA)/bin/cargo-lambda lambda build --release --locked \
		--compiler cargo --target $(TARGET) --bin passloom --config 'build.rustflags = [$(REMAP), $(STRIP)]'

.PHONY: deploy
deploy: $(CARGO_LAMBDA)/ready $(SAM)/ready ## Build and deploy to AWS for ARCH; asks for everything the first time.
	PATH="$(CURDIR)/$(CARGO_LAMBDA)/bin:$$PATH" CARGO_LAMBDA_COMPILER=cargo CARGO_BUILD_RUSTFLAGS=$(STRIP) \
		$(SAM)/bin/sam build --parameter-overrides Architecture=$(ARCH)
	@# What was answered the first time stands in samconfig.toml from then on.
	@if grep -q 'Architecture=' samconfig.toml && ! grep -q 'Architecture=."$(ARCH)' samconfig.toml; then \
		echo 'samconfig.toml names another Architecture than $(ARCH), for which this was built.' >&2; exit 1; fi
	@if grep -q '^region' samconfig.toml; then $(SAM)/bin/sam deploy; \
		else $(SAM)/bin/sam deploy --guided --parameter-overrides Architecture=$(ARCH); fi
	@echo 'Make the first key with the command in the output FirstKeyCommand above. It needs passloom-keys:'
	@echo '  cargo install --locked --path . --bin passloom-keys'
	@echo 'and credentials in the environment:'
	@echo '  eval "$$(aws configure export-credentials --format env)"'

.PHONY: destroy
destroy: $(SAM)/ready ## Delete the stack from AWS, but for what cannot be made again.
	@echo 'These stay, because without them every key and the audit trail are lost: the table of keys, the pepper'
	@echo 'in Secrets Manager, the log group of the audit lines, and the KMS key if there is one. docs/operations.md'
	@echo 'tells how to delete them for good.'
	$(SAM)/bin/sam delete

.PHONY: test
test: format clippy build ## Everything that CI checks.
	PASSLOOM_FUNCTION="$(CURDIR)/$(FUNCTION)" cargo test --locked --no-fail-fast
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
	$(MAKE) --no-print-directory tree lint template contract recipes

.PHONY: contract
contract: $(SCHEMATHESIS)/ready ## Test the service against its contract, with EXAMPLES=… requests of each kind.
	cargo build --locked --example gateway
	$(SCHEMATHESIS)/bin/python tests/contract/contract.py target/debug/examples/gateway $(SCHEMATHESIS)/bin/schemathesis \
		$(SCHEMATHESIS)/bin/openapi-spec-validator $(EXAMPLES)

.PHONY: recipes
recipes: $(CLOUD)/ready ## Run the recipes of docs/recipes.md, as far as their programs are installed.
	cargo build --locked --example gateway
	$(CLOUD)/bin/python tests/contract/recipes.py target/debug/examples/gateway

.PHONY: template
template: $(CLOUD)/ready build ## Test the template, and the function in the cloud that it makes.
	cargo build --locked --bin passloom-keys
	AWS_DEFAULT_REGION=eu-central-1 $(CLOUD)/bin/python -W ignore -m unittest discover --buffer --start-directory tests/template

.PHONY: fuzz
fuzz: ## Throw ten million inputs at the parsers (or FUZZ=… at each of six).
	FUZZ=$${FUZZ:-1700000} cargo test --locked --test fuzz

.PHONY: uniformity
uniformity: ## Test uniformity with the operating system's randomness, at length, and print p-values.
	UNIFORMITY=1 cargo test --locked --release --test fairness -- --nocapture uniformity aimed

.PHONY: mutants-admission
mutants-admission: ## Break the rules of admission one by one, and see the tests fail for it.
	python3 tests/admission/mutants.py

.PHONY: soak
soak: build ## Ten minutes of floods, faults and restarts (or SOAK_SECONDS=…), with figures at the end.
	PASSLOOM_FUNCTION="$(CURDIR)/$(FUNCTION)" SOAK_SECONDS=$${SOAK_SECONDS:-600} \
		cargo test --locked --test service -- --nocapture the_promise_is_kept

.PHONY: bench
bench: bench-ready ## Measure the function beside its references, and write docs/performance.md.
	$(PYTHON) benches/function/run.py $(BENCH)

.PHONY: bench-quick
bench-quick: bench-ready ## The same with a tenth of the samples; writes nothing.
	$(PYTHON) benches/function/run.py $(BENCH) quick

.PHONY: cost
cost: ## Work out docs/cost.md again, from prices and what `make bench` measured.
	python3 benches/cost/cost.py

.PHONY: bench-draw
bench-draw: ## Measure what a draw costs beside one getrandom call, and beside other generators.
	cargo bench --locked --bench draw -- --sample-count 1000

.PHONY: bench-ready
bench-ready: build $(BENCH)/fastapi/ready $(if $(shell command -v npm),$(BENCH)/express/ready)
	env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS $(CARGO_LAMBDA)/bin/cargo-lambda lambda build --release --locked \
		--compiler cargo --target $(TARGET) --package references --lambda-dir target/references \
		--config 'build.rustflags = [$(REMAP), $(STRIP)]'
	cargo build --locked --release --example database
	@mkdir -p $(BENCH)/express; cp $(REFERENCES)/express/*.js $(BENCH)/express; cp $(REFERENCES)/fastapi/app.py $(BENCH)/fastapi
	@cd $(BENCH) && rm -f *.zip && \
		python3 -m zipfile -c Passloom.zip $(CURDIR)/$(FUNCTION) && \
		python3 -m zipfile -c empty.zip $(CURDIR)/target/references/empty/bootstrap && \
		python3 -m zipfile -c one-UpdateItem.zip $(CURDIR)/target/references/one-update/bootstrap && \
		python3 -m zipfile -c FastAPI.zip fastapi/* && \
		if [ -e express/ready ]; then python3 -m zipfile -c Express.zip express/*; \
			else echo 'There is no npm here: Express is left out.' >&2; fi

.PHONY: format
format: ## Check the formatting.
	cargo fmt --all --check

.PHONY: clippy
clippy: ## Check the code.
	cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: tree
tree: ## Check that the function holds no crate that has no place in it.
	@if cargo tree --locked -e normal --prefix none | grep -E '^($(subst $() ,|,$(UNWANTED))) v'; then \
		echo 'These crates have no place in the function.' >&2; exit 1; fi
	@echo 'In the tree of the function there is none of: $(UNWANTED)'

.PHONY: deny
deny: $(CARGO_DENY)/ready ## Check licences, origins and doublets of the crates.
	$(CARGO_DENY)/bin/cargo-deny --locked check licenses bans sources

.PHONY: advisories
advisories: $(CARGO_DENY)/ready ## Check the crates against the RustSec advisories, which are fetched from GitHub.
	$(CARGO_DENY)/bin/cargo-deny --locked check advisories

.PHONY: sbom
sbom: build ## Write the bill of materials of the function, CycloneDX, to target/sbom.
	@mkdir -p $(dir $(SBOM))
	python3 tests/sbom.py $(TARGET) $(FUNCTION) > $(SBOM)
	@echo '$(SBOM)'

.PHONY: package
package: sbom ## Put into target/package what is handed on: a zip for Lambda, the bill of materials, checksums.
	@rm -rf target/package && mkdir -p target/package
	@install -m 755 $(FUNCTION) target/package/bootstrap
	@cp $(SBOM) target/package/passloom-$(ARCH).cdx.json
	@# A zip holds the time: the earliest that it can hold.
	@touch -d '1980-01-01 00:00:00 UTC' target/package/bootstrap
	@cd target/package && TZ=UTC python3 -m zipfile -c passloom-$(ARCH).zip bootstrap
	@cd target/package && sha256sum bootstrap passloom-$(ARCH).zip passloom-$(ARCH).cdx.json | tee SHA256SUMS
	@rm target/package/bootstrap

.PHONY: reproducible
reproducible: $(CARGO_LAMBDA)/ready ## Build the last commit twice, in different folders, and compare.
	tests/reproducible.sh $(ARCH)

.PHONY: lint
lint: $(SAM)/ready $(CFN_LINT)/ready $(CHECKOV)/ready $(CLOUD)/ready ## Check the template, and what SAM makes of it.
	$(CFN_LINT)/bin/cfn-lint template.yaml
	AWS_DEFAULT_REGION=eu-central-1 $(SAM)/bin/sam validate --lint --template-file template.yaml
	@mkdir -p target/template
	AWS_DEFAULT_REGION=eu-central-1 $(CLOUD)/bin/python tests/template/cloudformation.py > target/template/translated.json
	$(CFN_LINT)/bin/cfn-lint target/template/translated.json
	@for form in template.yaml target/template/translated.json; do \
		$(CHECKOV)/bin/checkov --file $$form --framework cloudformation --compact --quiet --skip-download; done

.PHONY: clean
clean: ## Remove everything that was built, installed or stored here, the development key included.
	rm -rf target .tools .local

# Without its dependencies: the one it has is a compiler that is not used here.
$(CARGO_LAMBDA)/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps cargo-lambda==$(CARGO_LAMBDA_VERSION)
	@touch $@

# Made for a short installation rather than a short run.
$(CARGO_DENY)/ready:
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo install --quiet --locked --root $(@D) cargo-deny@$(CARGO_DENY_VERSION)
	@touch $@

$(SAM)/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_VERSION)
	@touch $@

$(CHECKOV)/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check checkov==$(CHECKOV_VERSION)
	@touch $@

$(CLOUD)/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check 'moto[server]==$(MOTO_VERSION)' \
		awscli==$(AWSCLI_VERSION) boto3==$(BOTO3_VERSION) requests==$(REQUESTS_VERSION) \
		aws-sam-translator==$(SAM_TRANSLATOR_VERSION) pyyaml
	@touch $@

$(SCHEMATHESIS)/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check schemathesis==$(SCHEMATHESIS_VERSION) \
		openapi-spec-validator==$(OPENAPI_VALIDATOR_VERSION)
	@touch $@

$(CFN_LINT)/ready:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check cfn-lint==$(CFN_LINT_VERSION)
	@touch $@

$(BENCH)/express/ready: $(REFERENCES)/express/package-lock.json
	@mkdir -p $(@D)
	cp $(REFERENCES)/express/package.json $(REFERENCES)/express/package-lock.json $(@D)
	cd $(@D) && npm ci --omit=dev --no-audit --no-fund --silent
	@touch $@

$(BENCH)/fastapi/ready: $(REFERENCES)/fastapi/requirements.txt
	@rm -rf $(@D) && mkdir -p $(@D)
	python3 -m venv $(BENCH)/installer
	$(BENCH)/installer/bin/pip install --quiet --disable-pip-version-check --target $(@D) -r $<
	@touch $@
