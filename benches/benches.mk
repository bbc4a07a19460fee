# Benchmarks, and what they need.

# The reference functions of the benchmarks, and their dependencies.
BENCH := .tools/bench
REFERENCES := benches/references
BENCH_PYTHON := fastapi fastapi-dynamodb
BENCH_NODE := express express-dynamodb
PYTHON := $(shell python3 -c 'import sys; print(sys.executable)')

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
bench-hostile: build ## Measure by route the processor time and the memory of requests that are made to cost much.
	cargo build --locked --release --package passloom-dev --bin database --bin hostile
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
	cargo build --locked --release --package passloom-dev --bin database --bin hostile
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
