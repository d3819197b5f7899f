# consentgate: `make help` lists what can be made.
#
# Each module of src/ becomes an archive, and a program links its modules in one order: a call against the direction of
# README's picture does not link. Sources and tests are found by wildcard, so none can be left out by accident.

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# ---- what it is built with -------------------------------------------------------------------------------------
CXX ?= g++
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Werror=switch-enum
FLAGS_release := -O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_asan := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# What tests the modules is compiled quicker than they are: it runs for a second.
FLAGS_release_x := $(FLAGS_release)
FLAGS_asan_x := -O0 -g1 -fsanitize=address
LIBS := -lPocoNetSSL -lPocoNet -lPocoJWT -lPocoCrypto -lPocoDataSQLite -lPocoDataODBC -lPocoData -lPocoJSON -lPocoUtil -lPocoXML -lPocoFoundation -lsqlite3 -lodbc -lssl -lcrypto -lfcgi

MODULES := core sys store usecase web app
TESTED := $(foreach module,$(MODULES),$(if $(wildcard tests/$(module)/*.cpp),$(module)))
# Left of the bar what a module's tests may link; the linker refuses everything to the right of it.
LINK_core := core
LINK_sys := sys core
LINK_store := store core
LINK_usecase := usecase store sys core
LINK_web := web usecase store sys core
LINK_app := app web usecase store sys core

FUZZED := $(filter-out replay,$(basename $(notdir $(wildcard tests/fuzz/*.cpp))))

PACKAGES_RUN := g++ make ca-certificates libpoco-dev unixodbc-dev libfcgi-dev libkainjow-mustache-dev libsqlite3-dev libssl-dev openssl spawn-fcgi lighttpd curl
PACKAGES_SERVERS := postgresql odbc-postgresql mariadb-server galera-4 odbc-mariadb rsync libmariadb-dev
PACKAGES_CHECK := $(PACKAGES_RUN) $(PACKAGES_SERVERS) libboost-test-dev sqlite3 chromium apache2 libapache2-mod-fcgid nginx lighttpd-modules-lua procps dpkg-dev man-db adduser systemd glewlwyd

# ---- what people call ------------------------------------------------------------------------------------------
.PHONY: all release asan tests run check test bench requirements install deb deps deps-check clean help
all: release ## build the optimised programs (build/release)
release: $(addprefix build/release/,consentgate consentgate-admin whoami-mcp)
asan: $(addprefix build/asan/,consentgate consentgate-admin whoami-mcp)

run: deps ## install what is needed, build, start everything on http://127.0.0.1:8080 (PORT=, VAR= move it)
	@$(MAKE) --no-print-directory -j2 release
	@exec ./examples/demo.sh

check: deps-check ## run every test; the last line counts them
	@tests/check.sh

tests: $(patsubst %,build/asan/tests/%,$(TESTED)) $(patsubst %,build/asan/fuzz/%,$(FUZZED))
test: tests ## only the fast tests: the modules, and what the fuzzers once found
	@for module in $(TESTED); do build/asan/tests/$$module --report_level=short || exit 1; done
	@for target in $(FUZZED); do build/asan/fuzz/$$target tests/fuzz/corpus/$$target || exit 1; done

bench: deps-check ## measure on ENGINE=sqlite|postgresql|mariadb|galera: transactions, journeys, memory (ratios taken in one run)
	@$(MAKE) --no-print-directory -j2 release build/release/bench
	@tests/bench/run.sh

requirements: ## print which tests hold which requirement
	@tests/guards/requirements.sh --print

# DESTDIR= and PREFIX= move it. The programs look for /etc/consentgate/consentgate.conf unless they are told otherwise.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BUILD ?= build/release
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' conf/package/debian/changelog)
SHARED = $(DESTDIR)$(PREFIX)/share
UNITS = $(DESTDIR)$(if $(filter /usr,$(PREFIX)),/lib,$(PREFIX)/lib)/systemd/system

install: $(BUILD)/consentgate $(BUILD)/consentgate-admin ## install programs, pages, units and manual pages (PREFIX=/usr/local, DESTDIR=)
	@install -d $(DESTDIR)$(PREFIX)/bin $(SHARED)/consentgate/conf $(SHARED)/doc/consentgate $(SHARED)/man/man5 $(SHARED)/man/man8 $(UNITS) $(DESTDIR)$(SYSCONFDIR)/consentgate
	@install -s -m 0755 $^ $(DESTDIR)$(PREFIX)/bin/
	@cp -R conf/pages $(SHARED)/consentgate/
	@install -m 0644 conf/consentgate.conf $(SHARED)/consentgate/conf/
	@cp -R $(addprefix conf/,apache lighttpd nginx shared-hosting) $(SHARED)/consentgate/conf/
	@install -m 0644 README.md SECURITY.md $(wildcard docs/*.md) $(SHARED)/doc/consentgate/
	@docs/man/generate.sh $(BUILD)/consentgate-admin build/man
	@install -m 0644 build/man/consentgate.conf.5 $(SHARED)/man/man5/
	@install -m 0644 docs/man/consentgate.8 build/man/consentgate-admin.8 $(SHARED)/man/man8/
	@for unit in conf/systemd/consentgate*; do sed 's|/usr/bin/|$(PREFIX)/bin/|' "$$unit" >"$(UNITS)/$${unit##*/}"; done
	@chmod 0644 $(UNITS)/consentgate*
	@install -D -m 0644 conf/completion/consentgate-admin.bash $(SHARED)/bash-completion/completions/consentgate-admin
	@install -D -m 0644 conf/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/consentgate.conf
	@file=$(DESTDIR)$(SYSCONFDIR)/consentgate/consentgate.conf; [ -e $$file ] || sed 's|^#pages = pages$$|pages = $(PREFIX)/share/consentgate/pages|' conf/consentgate.conf >$$file

deb: $(BUILD)/consentgate $(BUILD)/consentgate-admin ## make a Debian package of it (build/consentgate_*.deb)
	@tests/support/deps.sh dpkg-dev
	@rm -rf build/deb && $(MAKE) --no-print-directory install BUILD=$(BUILD) DESTDIR=build/deb PREFIX=/usr SYSCONFDIR=/etc
	@install -D -m 0644 -t build/deb/etc/apache2/conf-available conf/apache/gate.conf
	@install -D -m 0644 conf/apache/pages.conf build/deb/etc/apache2/conf-available/consentgate.conf
	@mv build/deb/etc/apache2/conf-available/gate.conf build/deb/etc/apache2/conf-available/consentgate-gate.conf
	@conf/package/debian/build.sh build/deb $(VERSION) build/consentgate_$(VERSION)_$$(dpkg --print-architecture).deb
	@echo "build/consentgate_$(VERSION)_$$(dpkg --print-architecture).deb"

deps: ; @tests/support/deps.sh $(PACKAGES_RUN)
deps-check: ; @tests/support/deps.sh $(PACKAGES_CHECK) node

clean: ## remove what was built (var/ and its data stay)
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

# ---- how it is built -------------------------------------------------------------------------------------------
# $(call variant,release): all rules of one build. Objects depend on the headers they read (-MMD).
define variant
build/$(1)/%.o: src/%.cpp Makefile
	@mkdir -p $$(@D)
	@echo "  c++ $(1) $$<"
	@$$(CXX) -std=c++20 $$(FLAGS_$(1)) $$(WARNINGS) -Iinclude -Ibuild/gen -MMD -MP -c -o $$@ $$<
build/$(1)/x/%.o: %.cpp Makefile
	@mkdir -p $$(@D)
	@echo "  c++ $(1) $$<"
	@$$(CXX) -std=c++20 $$(FLAGS_$(1)_x) $$(WARNINGS) -DBOOST_TEST_DYN_LINK -Iinclude -Isrc -I. -Ibuild/gen -MMD -MP -c -o $$@ $$<
build/$(1)/store/migrate.o: build/gen/migrations.inc
# Programs: src/app/main_*.cpp stay out of libapp.a.
build/$(1)/consentgate: build/$(1)/app/main_server.o $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX) $$(FLAGS_$(1)) -Wl,--as-needed -o $$@ $$^ $$(LIBS)
build/$(1)/consentgate-admin: build/$(1)/app/main_admin.o $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX) $$(FLAGS_$(1)) -Wl,--as-needed -o $$@ $$^ $$(LIBS)
build/$(1)/whoami-mcp: build/$(1)/x/examples/whoami_mcp.o $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX) $$(FLAGS_$(1)) -Wl,--as-needed -o $$@ $$^ $$(LIBS)
# A fuzz target with replay.cpp runs its corpus; with -fsanitize=fuzzer in its place it is libFuzzer's.
build/$(1)/fuzz/%: build/$(1)/x/tests/fuzz/%.o build/$(1)/x/tests/fuzz/replay.o $$(patsubst %,build/$(1)/lib%.a,$$(LINK_web))
	@mkdir -p $$(@D)
	@$$(CXX) $$(FLAGS_$(1)) -Wl,--as-needed -o $$@ $$^ $$(LIBS)
build/$(1)/bench: $$(patsubst %.cpp,build/$(1)/x/%.o,$$(wildcard tests/bench/*.cpp)) $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX) $$(FLAGS_$(1)) -Wl,--as-needed -o $$@ $$^ $$(LIBS) -lmariadb
endef

# $(call module,variant,module): its archive and its test program.
define module
build/$(1)/lib$(2).a: $$(patsubst src/%.cpp,build/$(1)/%.o,$$(filter-out src/app/main_%.cpp,$$(wildcard src/$(2)/*.cpp src/$(2)/*/*.cpp)))
	@rm -f $$@; ar rcs $$@ $$^
build/$(1)/tests/$(2): $$(patsubst %.cpp,build/$(1)/x/%.o,$$(wildcard tests/$(2)/*.cpp tests/$(2)/*/*.cpp)) $$(patsubst %,build/$(1)/lib%.a,$$(LINK_$(2)))
	@mkdir -p $$(@D)
	@$$(CXX) $$(FLAGS_$(1)) -Wl,--as-needed -o $$@ $$^ -lboost_unit_test_framework $$(LIBS)
endef

$(foreach v,release asan,$(eval $(call variant,$(v))))
$(foreach v,release asan,$(foreach r,$(MODULES),$(eval $(call module,$(v),$(r)))))

# sql/*.sql compiled in, so that program and schema cannot drift.
build/gen/migrations.inc: $(wildcard sql/*.sql) Makefile
	@mkdir -p $(@D)
	@for file in $(sort $(wildcard sql/*.sql)); do printf '{"%s", R"sql(' "$$(basename $$file .sql)"; cat $$file; printf ')sql"},\n'; done > $@

-include $(shell find build -name '*.d' -type f 2>/dev/null)
