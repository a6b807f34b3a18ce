# make help lists what there is to make.

GO      ?= go
DESTDIR ?=
PREFIX  ?= /usr/local
# mount(8) and umount(8) look for their helpers nowhere else.
SBINDIR ?= /sbin
MANDIR  ?= $(PREFIX)/share/man

# How long each fuzz target runs in `make test`, or how many inputs it gets (4000x).
FUZZTIME ?= 2s
# More arguments for the tests of the whole, for example: make integration ARGS='-run TestFive -v -seed=1'
ARGS ?=

# How long make soak works on each medium.
DURATION ?= 1h

# How much of everything make bench measures, and which rows.
SCALE ?= 1
ROWS  ?= .

BIN   := bin/burnfs
UNITS := ./session/... ./cmd/... ./mmc/... ./fusefs/... # the longest first
# Where make test collects the discs that its tests write, for the judges: integration/shelf.
SHELF := $(CURDIR)/bin/shelf

# All is built in the same way, so that no step compiles again what another has.
export GOFLAGS := $(GOFLAGS) -trimpath

# The tests of most packages fsync a lot: their files are in memory if there is a place
# for them that is large enough and may hold programs. Many wait for drives that are slow
# on purpose, so several run side by side on each processor. Those of iso9660 need
# extended attributes, which not every kernel has in memory.
MEMORY  = $(shell integration/memory.sh)
UNIT    = $(MEMORY) $(GO) test -count=1 -parallel=8 -timeout=1h

.DEFAULT_GOAL := help
.PHONY: help build install uninstall deps lint fmt unit race single fuzz integration soak test-kernel test judges emptyshelf demo bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/burnfs
	$(GO) build -trimpath -o $(BIN) ./cmd/burnfs

install: build ## burnfs, the helpers of mount(8) and umount(8), the manual pages
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/burnfs
	install -d $(DESTDIR)$(SBINDIR)
	ln -sfn $(PREFIX)/bin/burnfs $(DESTDIR)$(SBINDIR)/mount.burnfs
	ln -sfn $(PREFIX)/bin/burnfs $(DESTDIR)$(SBINDIR)/umount.fuse.burnfs
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	install -m 0644 cmd/burnfs/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 0644 cmd/burnfs/man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 0644 cmd/burnfs/man/*.8 $(DESTDIR)$(MANDIR)/man8

uninstall: ## what install put there
	rm -f $(DESTDIR)$(SBINDIR)/mount.burnfs $(DESTDIR)$(SBINDIR)/umount.fuse.burnfs $(DESTDIR)$(PREFIX)/bin/burnfs
	cd cmd/burnfs/man && for page in *; do rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$$page"; done

deps: ## the Debian packages that demo and tests need, installed if root
	@integration/deps.sh

fmt: ## gofmt on everything
	gofmt -l -w cmd fusefs session iso9660 mmc integration

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l cmd fusefs session iso9660 mmc integration | tee /dev/stderr)" || { echo 'run make fmt' >&2; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags=kernel ./integration/kernel/...
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags=kernel ./integration/kernel/...

unit: deps ## the tests of the packages
	$(UNIT) $(UNITS)
	$(GO) test -count=1 ./iso9660/...

race: deps ## the same with the race detector, and with a third of the injected faults
# The two longest packages wait for most of their time.
	$(UNIT) -race -short -p=$$(($$(nproc) + 1)) $(UNITS)
	$(GO) test -count=1 -timeout=1h -race -short ./iso9660/...

single: deps ## the packages with many goroutines or faults, on one processor
	GOMAXPROCS=1 $(UNIT) -p=$$(nproc) ./session/... ./mmc/... ./fusefs/...

fuzz: ## every fuzz target for FUZZTIME
	@GO='$(GO)' integration/fuzz.sh $(FUZZTIME)

integration: deps build ## the tests of the whole: real mounts, foreign programs
	BURNFS=$(CURDIR)/$(BIN) $(GO) test -count=1 -parallel=4 -timeout=2h ./integration/... $(ARGS)

soak: deps build ## random work on all kinds of media with commits and kills, for DURATION
	BURNFS=$(CURDIR)/$(BIN) $(GO) test -count=1 -timeout=0 -parallel=6 -v -run=TestSoak ./integration/soak \
		-soak.duration=$(DURATION) -soak.media=bd-r,bd-re,cd-rw,dvd+r,dvd+rw,iso $(ARGS)

test-kernel: deps build ## real programs and burnfs on emulated drives, in a real kernel under QEMU
	@integration/deps.sh kernel
	BURNFS_JUDGE=$(wildcard $(SHELF)) BURNFS=$(CURDIR)/$(BIN) $(GO) test -tags=kernel -count=1 -parallel=8 -timeout=2h ./integration/kernel/... $(ARGS)

judges: build ## foreign programs read every disc that make test has collected
# What they write themselves is not collected: it would take the place of what they read.
	BURNFS_SHELF= BURNFS_JUDGE=$(SHELF) BURNFS=$(CURDIR)/$(BIN) $(GO) test -count=1 -timeout=1h -v -run=TestDiscs ./integration/agree

test: export BURNFS_SHELF := $(SHELF)
test: emptyshelf deps lint race single fuzz build ## all of the above
	BURNFS=$(CURDIR)/$(BIN) $(GO) test -count=1 -parallel=4 -timeout=2h ./integration/... $(ARGS)
	$(MAKE) --no-print-directory judges

emptyshelf:
	rm -rf $(SHELF)

demo: deps build ## a tutorial: every command on a disc of your own
	@integration/demo.sh $(BIN)

bench: deps build ## burnfs and what a user would take instead, side by side: SCALE=0.01, ROWS='copy-in|remove'
	@integration/deps.sh bench
	$(GO) run ./integration/bench -burnfs $(BIN) -scale $(SCALE) -rows '$(ROWS)' -out bin $(ARGS)

clean: ## what build made
	rm -rf bin
