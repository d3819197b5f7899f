# consentgate: `make help` lists what can be made.
#
# Each module of src/ becomes an archive, and a program links its modules in one order, so a call
# against the direction of README's picture does not link. Wildcards find sources and tests, so the
# build cannot leave one out by accident.

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# ---- compiler, libraries, modules ---------------------------------------------------------------
CXX ?= g++
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Werror=switch-enum
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# Under -O2, GCC 12 warns falsely about inlined std::string and std::optional (its bugs 105329 and
# 105593). The tested build has AddressSanitizer and keeps these warnings.
QUIET := -Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow \
         -Wno-stringop-overread
LINKING := -Wl,--as-needed -Wl,-z,relro -Wl,-z,now
FLAGS_release := -O2 -g0 $(HARDENING) $(QUIET)
# The Debian package has debug symbols in a package of their own (consentgate-dbgsym).
FLAGS_package := -O2 -g1 $(HARDENING) $(QUIET)
FLAGS_asan := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# libFuzzer belongs to clang, whose warnings are others than the ones that we heed.
FLAGS_fuzz := -O1 -g1 -w -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
              -fno-sanitize-recover=all
# Test code runs for a second, so it is compiled faster than the code that it tests.
FLAGS_release_x := $(FLAGS_release)
FLAGS_package_x := $(FLAGS_package)
FLAGS_asan_x := -O0 -g1 -fsanitize=address
FLAGS_fuzz_x := $(FLAGS_fuzz)
CXX_release = $(CXX)
CXX_package = $(CXX)
CXX_asan = $(CXX)
CXX_fuzz = clang++
LIBS := -lPocoNetSSL -lPocoNet -lPocoJWT -lPocoCrypto -lPocoDataSQLite -lPocoDataODBC -lPocoData \
        -lPocoJSON -lPocoUtil -lPocoXML -lPocoFoundation -lsqlite3 -lodbc -lssl -lcrypto -lfcgi
# The first line of the package's changelog has the version of everything.
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' conf/package/debian/changelog)

MODULES := core sys store usecase web app
TESTED := $(foreach module,$(MODULES),$(if $(wildcard tests/$(module)/*.cpp),$(module)))
# The archives that a module's programs and tests may link, itself first.
LINK_core := core
LINK_sys := sys core
LINK_store := store core
LINK_usecase := usecase store sys core
LINK_web := web usecase store sys core
LINK_app := app web usecase store sys core

# What calls a fuzz target: the files of its corpus, or libFuzzer.
CALLER_release := build/release/x/tests/fuzz/replay.o
CALLER_package := build/package/x/tests/fuzz/replay.o
CALLER_asan := build/asan/x/tests/fuzz/replay.o
CALLER_fuzz := -fsanitize=fuzzer
FUZZED := $(filter-out replay,$(basename $(notdir $(wildcard tests/fuzz/*.cpp))))

PACKAGES_BUILD := g++ make libpoco-dev unixodbc-dev libfcgi-dev libkainjow-mustache-dev \
	libsqlite3-dev libssl-dev
PACKAGES_RUN := $(PACKAGES_BUILD) ca-certificates curl openssl spawn-fcgi lighttpd \
	lighttpd-modules-lua python3
PACKAGES_DEB := $(PACKAGES_BUILD) build-essential debhelper lintian
PACKAGES_SERVERS := postgresql odbc-postgresql mariadb-server galera-4 odbc-mariadb rsync \
	libmariadb-dev
PACKAGES_FUZZ := $(PACKAGES_BUILD) clang libclang-rt-dev
PACKAGES_CHECK := $(PACKAGES_RUN) $(PACKAGES_DEB) $(PACKAGES_SERVERS) libboost-test-dev sqlite3 \
	clang-format universal-ctags shellcheck chromium apache2 libapache2-mod-fcgid \
	libapache2-mod-auth-openidc nginx procps man-db adduser systemd glewlwyd \
	liblemonldap-ng-portal-perl lemonldap-ng-fastcgi-server libstring-random-perl \
	python3-jwt python3-authlib lighttpd-mod-openssl logrotate fail2ban

# ---- targets ------------------------------------------------------------------------------------
.PHONY: all release package asan tests run check test fuzz bench soak requirements format
.PHONY: format-check upgrade-check install deb deps deps-check clean help
all: release ## build the optimised programs (build/release)
release package asan: %: build/%/consentgate build/%/consentgate-admin

run: deps ## install what it needs, build, start the demo on http://127.0.0.1:8080 (PORT=, VAR=)
	@$(MAKE) --no-print-directory -j$$(nproc) release
	@exec ./examples/demo.sh

check: deps-check ## run every test; the last line counts them
	@tests/check.sh

tests: $(patsubst %,build/asan/tests/%,$(TESTED)) $(patsubst %,build/asan/fuzz/%,$(FUZZED)) \
       build/asan/bench
test: tests ## run only the fast tests: the modules, and the fuzzers' corpora
	@for module in $(TESTED); do build/asan/tests/$$module --report_level=short || exit 1; done
	@for target in $(FUZZED); do build/asan/fuzz/$$target tests/fuzz/corpus/$$target || exit 1; done

MINUTES ?= 10
fuzz: ## let libFuzzer search all fuzz targets for MINUTES= together; what it finds is in build/fuzz
	@tests/support/deps.sh $(PACKAGES_FUZZ)
	@$(MAKE) --no-print-directory -j$$(nproc) $(patsubst %,build/fuzz/fuzz/%,$(FUZZED))
	@tests/fuzz/run.sh $(MINUTES) $(FUZZED)

bench: deps-check ## measure on ENGINE=sqlite|postgresql|mariadb|galera (ratios of one run; PARTS=calls: one part)
	@$(MAKE) --no-print-directory -j$$(nproc) release build/release/bench
	@tests/bench/run.sh

soak: deps-check ## all bad neighbours at once, for MINUTES=60; thirty days of people's accounts
	@$(MAKE) --no-print-directory -j$$(nproc) release
	@tests/support/npm.sh
	@BUILD=build/release MINUTES=$${MINUTES:-60} node --test --test-reporter=spec \
	  --test-concurrency=1 tests/e2e/soak.test.mjs tests/e2e/thirty_days.test.mjs

# The version before is built in a folder of its own, and works there.
upgrade-check: deps-check ## upgrade two machines from FROM=COMMIT under load, one after the other (ENGINES=)
	@[ -n "$(FROM)" ] || { echo 'which version is upgraded? FROM=COMMIT'; exit 2; }
	@mkdir -p build/upgrade/$(FROM) && git archive $(FROM) | tar -x -C build/upgrade/$(FROM)
	@env -u MAKEFLAGS -u MFLAGS $(MAKE) --no-print-directory -j$$(nproc) -C build/upgrade/$(FROM) all
	@$(MAKE) --no-print-directory -j$$(nproc) release
	@tests/support/npm.sh
	@BUILD=build/release node tests/upgrade/side_by_side.mjs build/upgrade/$(FROM) $(ENGINES)

requirements: ## print which tests hold which requirement
	@tests/guards/requirements.sh --print

# The npm packages of the tests have sources too, too many for one command line.
CXX_FILES = $(shell find src include tests -name node_modules -prune -o -name '*.cpp' -print -o -name '*.h' -print)
format: ## format all C++ (.clang-format)
	@tests/support/deps.sh clang-format
	@clang-format -i $(CXX_FILES)
format-check: ; @tests/guards/format.sh

# The programs look for /etc/consentgate/consentgate.conf unless --config names another file.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BUILD ?= build/release
STRIP ?= -s
SHARED = $(DESTDIR)$(PREFIX)/share
UNITS = $(DESTDIR)$(if $(filter /usr,$(PREFIX)),/lib,$(PREFIX)/lib)/systemd/system
CONFIGURATION = $(DESTDIR)$(SYSCONFDIR)/consentgate/consentgate.conf

install: $(BUILD)/consentgate $(BUILD)/consentgate-admin ## install everything (PREFIX=/usr/local, DESTDIR=)
	@install -d $(SHARED)/consentgate/conf $(UNITS) $(dir $(CONFIGURATION))
	@install -D $(STRIP) -m 0755 -t $(DESTDIR)$(PREFIX)/bin $^
	@cp -R conf/pages $(SHARED)/consentgate/
	@cp -R $(addprefix conf/,consentgate.conf apache lighttpd nginx shared-hosting logrotate fail2ban) \
	  $(SHARED)/consentgate/conf/
	@install -D -m 0644 -t $(SHARED)/doc/consentgate README.md SECURITY.md CHANGELOG.md
	@install -D -m 0644 -t $(SHARED)/doc/consentgate/docs $(wildcard docs/*.md)
	@install -D -m 0644 -t $(SHARED)/doc/consentgate/docs/images $(wildcard docs/images/*)
	@docs/man/generate.sh $(BUILD)/consentgate-admin build/man
	@install -D -m 0644 -t $(SHARED)/man/man5 build/man/consentgate.conf.5
	@install -D -m 0644 -t $(SHARED)/man/man8 docs/man/consentgate.8 build/man/consentgate-admin.8
	@for unit in conf/systemd/*.service conf/systemd/*.socket; do \
	  sed 's|/usr/bin/|$(PREFIX)/bin/|' $$unit >$(UNITS)/$${unit##*/}; done
	@chmod 0644 $(UNITS)/consentgate*
	@install -D -m 0644 conf/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/consentgate.conf
	@install -D -m 0644 conf/completion/consentgate-admin.bash \
	  $(SHARED)/bash-completion/completions/consentgate-admin
	@[ -e $(CONFIGURATION) ] || \
	  sed 's|^#pages = pages$$|pages = $(PREFIX)/share/consentgate/pages|' conf/consentgate.conf \
	    >$(CONFIGURATION)

deb: ## build the Debian package, install what that needs (build/consentgate_*.deb)
	@tests/support/deps.sh $(PACKAGES_DEB)
	@$(MAKE) --no-print-directory -j$$(nproc) $(DEB_BUILD)/consentgate $(DEB_BUILD)/consentgate-admin
	@conf/package/build.sh $(DEB_BUILD) $(VERSION)
deb: DEB_BUILD = $(if $(filter command line,$(origin BUILD)),$(BUILD),build/package)

deps: ; @tests/support/deps.sh $(PACKAGES_RUN)
deps-check: ; @tests/support/deps.sh $(PACKAGES_CHECK) node

clean: ## remove the build folder (var/ and its data stay)
	rm -rf build

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-13s %s\n", $$1, $$2}'

# ---- rules --------------------------------------------------------------------------------------
# $(call variant,release): all rules of one build. Objects depend on the headers they read (-MMD),
# and on the flags: build/release/flags changes only when they do.
COMPILE = -std=c++20 $(WARNINGS) -Ibuild/gen
# Headers that nearly all files include are parsed once for each build. ccache keeps no file that
# used one, so it compiles without; `make PRECOMPILED=` finds an #include that a file forgot.
PRECOMPILED ?= $(if $(findstring ccache,$(CXX)),,yes)
# $(call precompiled,variant,name): its prerequisite, and the option that includes it.
precompiled = $(if $(PRECOMPILED),build/$(1)/$(2).h.gch)
include_precompiled = $(if $(PRECOMPILED),-include build/$(1)/$(2).h)
.PHONY: always
define variant
build/$(1)/sources.h.gch: src/precompiled.h build/$(1)/flags
	@cp $$< build/$(1)/sources.h
	@$$(CXX_$(1)) $$(COMPILE) $$(FLAGS_$(1)) -x c++-header -o $$@ $$<
build/$(1)/tests.h.gch: tests/support/precompiled.h src/precompiled.h build/$(1)/flags
	@echo '#include "../../$$<"' >build/$(1)/tests.h
	@$$(CXX_$(1)) $$(COMPILE) $$(FLAGS_$(1)_x) -DBOOST_TEST_DYN_LINK -x c++-header -o $$@ $$<
build/$(1)/%.o: src/%.cpp build/$(1)/flags $$(call precompiled,$(1),sources)
	@mkdir -p $$(@D)
	@echo "  c++ $(1) $$<"
	@$$(CXX_$(1)) $$(COMPILE) $$(FLAGS_$(1)) $$(call include_precompiled,$(1),sources) -Iinclude -MMD -MP -c -o $$@ $$<
build/$(1)/x/%.o: %.cpp build/$(1)/flags
	@mkdir -p $$(@D)
	@echo "  c++ $(1) $$<"
	@$$(CXX_$(1)) $$(COMPILE) $$(FLAGS_$(1)_x) -DBOOST_TEST_DYN_LINK $$(USE_BOOST) -Iinclude -Isrc -I. -MMD -MP -c -o $$@ $$<
build/$(1)/flags: always
	@mkdir -p $$(@D)
	@echo '$$(CXX_$(1)) $$(COMPILE) $$(FLAGS_$(1)) $$(FLAGS_$(1)_x)' | cmp -s - $$@ || \
	  echo '$$(CXX_$(1)) $$(COMPILE) $$(FLAGS_$(1)) $$(FLAGS_$(1)_x)' >$$@
build/$(1)/store/migrate.o: build/gen/migrations.inc
build/$(1)/app/version.o: build/gen/version.inc
# src/app/main_*.cpp stay out of libapp.a.
build/$(1)/consentgate: build/$(1)/app/main_server.o $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX_$(1)) $$(FLAGS_$(1)) $$(LINKING) -o $$@ $$^ $$(LIBS)
build/$(1)/consentgate-admin: build/$(1)/app/main_admin.o $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX_$(1)) $$(FLAGS_$(1)) $$(LINKING) -o $$@ $$^ $$(LIBS)
build/$(1)/fuzz/%: build/$(1)/x/tests/fuzz/%.o $$(filter %.o,$$(CALLER_$(1))) $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@mkdir -p $$(@D)
	@$$(CXX_$(1)) $$(FLAGS_$(1)) $$(LINKING) -o $$@ $$(filter-out %.o,$$(CALLER_$(1))) $$^ $$(LIBS)
build/$(1)/bench: $$(patsubst %.cpp,build/$(1)/x/%.o,$$(wildcard tests/bench/*.cpp)) $$(patsubst %,build/$(1)/lib%.a,$$(LINK_app))
	@$$(CXX_$(1)) $$(FLAGS_$(1)) $$(LINKING) -o $$@ $$^ $$(LIBS) -lmariadb
endef

# $(call tests_of,variant,module): the objects of a module's tests.
tests_of = $(patsubst %.cpp,build/$(1)/x/%.o,$(wildcard tests/$(2)/*.cpp tests/$(2)/*/*.cpp))
# $(call module,variant,module): its archive and its test program.
define module
build/$(1)/lib$(2).a: $$(patsubst src/%.cpp,build/$(1)/%.o,$$(filter-out src/app/main_%.cpp,$$(wildcard src/$(2)/*.cpp src/$(2)/*/*.cpp)))
	@rm -f $$@; ar rcs $$@ $$^
# A main.cpp sets Boost.Test up before it includes it, so it cannot use the precompiled one.
$$(filter-out %/main.o,$$(call tests_of,$(1),$(2))): USE_BOOST = $$(call include_precompiled,$(1),tests)
$$(filter-out %/main.o,$$(call tests_of,$(1),$(2))): $$(call precompiled,$(1),tests)
build/$(1)/tests/$(2): $$(call tests_of,$(1),$(2)) $$(patsubst %,build/$(1)/lib%.a,$$(LINK_$(2)))
	@mkdir -p $$(@D)
	@$$(CXX_$(1)) $$(FLAGS_$(1)) $$(LINKING) -o $$@ $$^ -lboost_unit_test_framework $$(LIBS)
endef

$(foreach v,release package asan fuzz,$(eval $(call variant,$(v))))
$(foreach v,release package asan fuzz,$(foreach r,$(MODULES),$(eval $(call module,$(v),$(r)))))

# sql/*.sql becomes part of the program, so that program and schema cannot drift.
build/gen/migrations.inc: $(wildcard sql/*.sql)
	@mkdir -p $(@D)
	@for file in $(sort $(wildcard sql/*.sql)); do printf '{"%s", R"sql(' "$$(basename $$file .sql)"; cat $$file; printf ')sql"},\n'; done > $@

# One file alone knows the version, so that a new one rebuilds one file.
build/gen/version.inc: conf/package/debian/changelog
	@mkdir -p $(@D)
	@echo '"$(VERSION)"' >$@

-include $(shell find build -name '*.d' -type f 2>/dev/null)
