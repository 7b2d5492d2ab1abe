# What a developer runs; `make` alone lists it. CI runs check and test, nothing else (.ci/run).

include .versions

.DEFAULT_GOAL := help
.PHONY: help demo build test test-fast test-real check fmt fix fmt-check lint vet generated tidy alerts alerts-record parts up crash crash-mutants outage sms-day limits tokens console-load fuzz clean

# The version is in the name, so that a new pin is a new file to make.
LINT := bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
PROMTOOL := bin/promtool-$(PROMETHEUS_VERSION)

# The packages with tests against the real Kafka and registry.
REAL = $(shell grep -rl --include='*_test.go' '^//go:build real' . | xargs -n 1 dirname | sort -u)

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## the whole bridge in one process, with nothing to install; ARGS=--once ends by itself
	go run ./cmd/ringbridge demo $(ARGS)

build: ## bin/ringbridge
	go build -trimpath -o bin/ringbridge ./cmd/ringbridge

test: parts test-fast test-real ## every test: the fast loop, then the real Kafka and registry

# -cpu 1, as Go's race detector crashes where two threads run the timers of one synctest bubble (golang/go issue 78156):
# both use the bubble's race context. It finds races by their order, not by chance, so one thread shows them too.
test-fast: ## the tests that need Go only
	go test -race -cpu 1 -shuffle=on ./...
	go test -tags failpoints ./internal/failpoint

# Their names: what such a package has besides has run in the fast loop.
REAL_TESTS = $(shell grep -rl --include='*_test.go' '^//go:build real' . | xargs grep -ho '^func Test[A-Za-z0-9]*' | cut -d ' ' -f 2 | grep -vx TestMain | sort -u | paste -s -d '|' -)

# Without -race: what is tested here is the program, in processes of its own. One package at a time: each starts a broker and a registry of its own, and two pairs starve on two cores.
test-real: parts ## the tests against the real Kafka and registry
	go test -shuffle=on -count=1 -p 1 -timeout 17m -tags real -run '^($(REAL_TESTS))$$' $(REAL)

check: fmt-check lint vet generated tidy ## formatting, lint, vet, generated files, go.mod

fmt: $(LINT) ## format the code
	$(LINT) fmt

fix: $(LINT) ## format, and mend what the linters can mend by themselves
	$(LINT) fmt
	$(LINT) run --fix

fmt-check: $(LINT)
	$(LINT) fmt --diff

lint: $(LINT) ## golangci-lint, as .golangci.yml says
	$(LINT) run

vet:
	go vet ./...
	go vet -tags real ./...
	go vet -tags real,failpoints ./...

GENERATED = schemas/*_gen.go schemas/README.md deploy/metrics.md

# Compared with the files as they were, not with git: a change on its way to a commit is fine, a stale file is not.
generated:
	@before=$$(cat $(GENERATED) | cksum) && go generate ./schemas ./deploy && \
	after=$$(cat $(GENERATED) | cksum) && \
	if [ "$$before" != "$$after" ]; then \
		echo "generated files were stale and have been written anew: look at them and commit them"; exit 1; fi

tidy:
	go mod tidy -diff
	go mod verify

# Not part of check, for the minutes that promtool takes to build. A test holds the rules to what was tried here last.
alerts: $(PROMTOOL) ## check the alert rules, and try each on its failure: after each change of them
	$(PROMTOOL) check rules deploy/alerts.yml
	$(PROMTOOL) test rules deploy/alerts_test.yml deploy/nights/*.yml
	cat deploy/alerts.yml deploy/alerts_test.yml $(sort $(wildcard deploy/nights/*.yml)) | sha256sum | cut -d ' ' -f 1 > deploy/alerts.tried

# Half an hour, for the one that waits for a silence. A failure of the program is brought about anew, and told in its own words.
NIGHT ?= .

alerts-record: parts ## bring about every failure that wakes an operator, and record what the program tells; NIGHT="one of them"
	go test -count=1 -v -tags real -parallel 4 -timeout 60m -run '^TestAlertsAreTriedOnWhatTheProgramTells$$/./$(NIGHT)' ./internal/e2e -args -record

parts: ## fetch the real Kafka, registry and Avro decoder, once, into the user's cache
	@deploy/local/fetch >/dev/null

up: parts ## a real Kafka and registry to try against, until Ctrl-C
	go run ./deploy/local/up $(ARGS)

# The same seed makes the same attempts; 0 takes a random one and tells it.
ROUNDS ?= 20
SEED ?= 0

crash: parts ## kill the program wherever it hurts, and count on both sides; ROUNDS=n SEED=s
	go run ./internal/crash/cmd -rounds $(ROUNDS) -seed $(SEED)

crash-mutants: parts ## leave out one safeguard after another: crash must catch each; SEED=s
	go run ./internal/crash/cmd -mutants -rounds 50 -seed $(SEED)

# Its short form is part of test-real. The minutes are of the outage; starting, draining and counting come on top.
MINUTES ?= 5

outage: parts ## keep the broker away under 200 webhooks a second, and count and measure; MINUTES=n
	go test -count=1 -v -tags real -timeout $$(($(MINUTES) + 15))m -run '^TestALongOutageCostsDiskNotMemory$$' ./internal/e2e -args -outage $(MINUTES)m

# Its short form is part of test-real, too.
sms-day: parts ## replay a day of 10,000 texts while hints and sync tokens are lost, and count
	go test -count=1 -v -tags real -timeout 15m -run '^TestADayOfTexts$$' ./internal/e2e -args -sms-day 10000

# Of each of its four parts, in which three replicas and a backfill spend what the APIs allow. The short form is part of test-real.
limits: parts ## spend both APIs' limits with three replicas and a backfill, and count calls in penalty windows; MINUTES=n
	go test -count=1 -v -tags real -timeout $$(($(MINUTES) * 4 + 15))m -run '^TestLimitsAreKeptByThreeReplicasAndABackfill$$' ./internal/e2e -args -limits $(MINUTES)m

tokens: parts ## minutes of traffic with tokens that live for one; MINUTES=n
	go test -count=1 -v -tags real -timeout $$(($(MINUTES) + 15))m -run '^TestShortTokensFailNoCall$$' ./internal/e2e -args -tokens $(MINUTES)m

console-load: parts ## the console with 100,000 letters and fifty events a second, and what ten open ones cost
	go test -count=1 -v -tags real -timeout 15m -run '^TestTheConsoleUnderLoad$$' ./internal/e2e -args -console

# Of each target. CI runs none of this: the corpora under testdata/fuzz are part of test-fast.
FUZZTIME ?= 1m

fuzz: ## every fuzz target, one after another, until something is found; FUZZTIME=10m
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

clean: ## remove what was built here; the fetched parts stay in the user's cache
	rm -rf bin

# Not by go.mod's tool directive, which would pull the linter's hundreds of modules into ours. Takes two minutes, once.
$(LINT):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv bin/golangci-lint $@

# From within its own module, since go install refuses one whose go.mod replaces others. The tag leaves out most of the
# clouds that Prometheus can look for its targets in. Takes three minutes, once.
$(PROMTOOL):
	go mod download github.com/prometheus/prometheus@$(PROMETHEUS_VERSION)
	GOWORK=off go -C "$$(go env GOMODCACHE)/github.com/prometheus/prometheus@$(PROMETHEUS_VERSION)" build -tags remove_all_sd -o $(CURDIR)/$@ ./cmd/promtool
