# What tests the module; included by the Makefile.

.PHONY: unit unit-sanitize fuzz bench-json bench-order prove system \
        node-modules sanitize check check-warnings check-tidy check-cppcheck \
        check-lint

T        := $(BUILD)/t
NODE_DIR := $(BUILD)/node

# Sanitized programs that fail stop at once and with a stack.
export UBSAN_OPTIONS := print_stacktrace=1:halt_on_error=1


# Programs on the pure files.  t/unit/test_X.c is a program; the other .c
# files of t/unit are helpers that a program may use.

STRICT := -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Werror -Ingx_module
SAN    := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
          -fno-omit-frame-pointer

UNIT         := $(patsubst t/unit/test_%.c,%,$(wildcard t/unit/test_*.c))
PORTABLE     := $(filter json% fields%,$(UNIT))
UNIT_HELPERS := $(filter-out t/unit/test_%.c,$(wildcard t/unit/*.c))
BENCH_HELPERS := $(filter-out t/bench/bench_%.c,$(wildcard t/bench/*.c))
FUZZ         := $(patsubst t/fuzz/fuzz_%.c,%,$(wildcard t/fuzz/fuzz_*.c))
FUZZ_HELPERS := $(filter-out t/fuzz/fuzz_%.c,$(wildcard t/fuzz/*.c))
FUZZ_TIME    ?= 60

# $(1): folder below $(T), $(2): folder of the programs, $(3): compiler and
# flags, $(4): further sources for the library, $(5): further libraries
define programs
$(T)/$(1)/pure/%.o: ngx_module/%.c t/tests.mk
	@mkdir -p $$(@D)
	@$(3) $(STRICT) -MMD -MP -c -o $$@ $$<

$(T)/$(1)/help/%.o: $(2)/%.c t/tests.mk
	@mkdir -p $$(@D)
	@$(3) $(STRICT) -MMD -MP -c -o $$@ $$<

$(T)/$(1)/libpure.a: $(PURE:ngx_module/%.c=$(T)/$(1)/pure/%.o) \
                     $(4:$(2)/%.c=$(T)/$(1)/help/%.o)
	@rm -f $$@
	@ar rcs $$@ $$^

$(T)/$(1)/%: $(2)/%.c $(T)/$(1)/libpure.a
	@$(3) $(STRICT) -MMD -MP -MF $$@.d $$(WRAP) -o $$@ $$< \
	    $(T)/$(1)/libpure.a $(5) -ljansson -lcrypto

-include $(wildcard $(T)/$(1)/*.d $(T)/$(1)/pure/*.d $(T)/$(1)/help/*.d)
endef

$(eval $(call programs,unit,t/unit,$(CC) -g -O2,$(UNIT_HELPERS),-lcmocka))
# What a machine without vectors of its own runs.
$(eval $(call programs,unit-portable,t/unit,$(CC) -g -O2 -DOG_JSON_NO_SIMD,\
    $(UNIT_HELPERS),-lcmocka))
$(eval $(call programs,unit-sanitize,t/unit,clang -g -O1 $(SAN),\
    $(UNIT_HELPERS),-lcmocka))
$(eval $(call programs,fuzz,t/fuzz,clang -g -O2 -fsanitize=fuzzer $(SAN),\
    $(FUZZ_HELPERS)))
# What is measured is built as the module is; t/unit's cases come with it.
$(eval $(call programs,bench,t/bench,$(CC) $(CCOPT),$(BENCH_HELPERS),\
    t/unit/json_cases.c $(T)/bench/libpure.a))

.SECONDARY:

# Tests named so let each allocation fail in turn.
$(T)/unit/test_%_memory $(T)/unit-portable/test_%_memory \
$(T)/unit-sanitize/test_%_memory: \
    WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free

# $(1): the program.  Its output in one piece, also with -j.
define run
@ASAN_OPTIONS=detect_leaks=1 $(1) > $(1).log 2>&1; \
    status=$$?; cat $(1).log; exit $$status
endef

.PHONY: $(UNIT:%=run-unit/%) $(UNIT:%=run-unit-sanitize/%) \
        $(PORTABLE:%=run-unit-portable/%)

$(UNIT:%=run-unit/%): run-unit/%: $(T)/unit/test_%
	$(call run,$<)

$(PORTABLE:%=run-unit-portable/%): run-unit-portable/%: \
    $(T)/unit-portable/test_%
	$(call run,$<)

$(UNIT:%=run-unit-sanitize/%): run-unit-sanitize/%: $(T)/unit-sanitize/test_%
	$(call run,$<)

unit: ## unit tests of the pure files
	$(call need,gcc make libcmocka-dev libjansson-dev libssl-dev)
	@$(MAKE) -s $(UNIT:%=run-unit/%) $(PORTABLE:%=run-unit-portable/%)

unit-sanitize: ## the same with AddressSanitizer and UBSan
	$(call need,$(FUZZING) make libcmocka-dev)
	@$(MAKE) -s $(UNIT:%=run-unit-sanitize/%)

fuzz: ## every fuzzer for FUZZ_TIME seconds
	$(call need,$(FUZZING) make)
	@$(MAKE) -s $(FUZZ:%=$(T)/fuzz/fuzz_%)
	@set -e; for f in $(FUZZ); do \
	    mkdir -p $(T)/corpus/$$f; \
	    seeds=$$(ls -d t/fuzz/corpus/$$f 2>/dev/null || true); \
	    dict=$$(ls t/fuzz/$$f.dict 2>/dev/null || true); \
	    $(T)/fuzz/fuzz_$$f -max_total_time=$(FUZZ_TIME) -timeout=10 \
	        $${dict:+-dict=$$dict} -artifact_prefix=$(T)/corpus/$$f- \
	        $(T)/corpus/$$f $$seeds; \
	done

bench-json: $(T)/bench/bench_json ## the JSON cutter beside a yardstick, jansson
	@$<

bench-order: $(T)/bench/bench_order ## the order of members beside SHA-256
	@$<


# Suites on the module, so many files of tests at a time.

JOBS ?= $(shell nproc)

prove: $(MODULE) ## t/*.t, in Test::Nginx format
	@OG_MODULE=$(MODULE) t/run -j$(JOBS) $(PROVE_FLAGS)

# $(1): which ones.  SYSTEM_FLAGS may ask for others only: pytest ends with 5.
define pytest
@OG_MODULE=$(MODULE) OG_NODE_MODULES=$(NODE_DIR)/node_modules \
    $(PYTHON) -m pytest -q -p no:cacheprovider $(1) $(SYSTEM_FLAGS) t/system \
    || test $$? = 5
endef

system: $(MODULE) node-modules ## concurrency, faults, stores, examples
	$(call need,$(PYTEST))
	$(call pytest,-m 'not alone' -n $(JOBS) --dist loadfile)
	$(call pytest,-m alone)

node-modules: ## install the npm packages that the system tests use
	$(call need,$(NODE))
	@t/node-modules $(NODE_DIR)

# The module with sanitizers, in Debian's nginx.  Debian's nginx leaks at its
# start, so leaks are looked for by unit-sanitize alone.
SAN_BUILD  := $(BUILD)/sanitize
SAN_CFLAGS := -pipe -W -Wall -Wno-unused-parameter -Werror -g -O1 -fPIC \
              -fsanitize=address,undefined -fno-sanitize-recover=undefined \
              -fno-omit-frame-pointer -include $(CURDIR)/t/sanitize/pool_debug.h

SAN_MAKE   := $(MAKE) -s BUILD=$(SAN_BUILD) NODE_DIR=$(NODE_DIR) CC=gcc \
              LDOPT=-fsanitize=address,undefined

sanitize: ## every suite with AddressSanitizer and UBSan on the module
	$(call need,$(TESTING) $(FUZZING))
	@$(MAKE) -s unit-sanitize
	@$(SAN_MAKE) $(SAN_BUILD)/Makefile
	@preload=$$(gcc -print-file-name=libasan.so); \
	    preload=$$preload:$$(gcc -print-file-name=libubsan.so); \
	    ASAN_OPTIONS=detect_leaks=0:halt_on_error=1 \
	    TEST_NGINX_LD_PRELOAD=$$preload TEST_NGINX_TIMEOUT=10 \
	    OG_LD_PRELOAD=$$preload OG_SLOW=3 \
	    $(SAN_MAKE) -k CFLAGS="$(SAN_CFLAGS)" \
	        SYSTEM_FLAGS="--ignore=t/system/test_build.py" prove system


# The module with sanitizers, whose allocations fail when a test says so: for
# t/system/test_faults.py.

FAULTS   := $(T)/faults
NGX_INCS := $(patsubst %,-isystem $(NGX_SRC)/src/%,core event event/modules \
            os/unix http http/modules http/v2) -isystem $(BUILD)

$(FAULTS)/%.o: ngx_module/%.c t/sanitize/pool_debug.h t/tests.mk \
               | $(BUILD)/Makefile
	@mkdir -p $(@D)
	@gcc -pipe -g1 -O0 -fPIC -fsanitize=address -fno-omit-frame-pointer \
	    $(NGX_INCS) -include t/sanitize/pool_debug.h -MMD -MP -c -o $@ $<

$(FAULTS)/modules.o: $(BUILD)/Makefile
	@mkdir -p $(@D)
	@gcc -fPIC $(NGX_INCS) -c -o $@ \
	    $(BUILD)/ngx_http_order_guard_module_modules.c

$(FAULTS)/faults.o: t/lib/faults.c t/tests.mk
	@mkdir -p $(@D)
	@gcc $(STRICT) -g -O1 -fPIC -c -o $@ $<

$(FAULTS)/$(notdir $(MODULE)): $(FAULTS)/faults.o $(FAULTS)/modules.o \
    $(patsubst ngx_module/%.c,$(FAULTS)/%.o,$(wildcard ngx_module/*.c))
	@gcc -shared -fsanitize=address -o $@ $^ -lhiredis -ljansson -lssl -lcrypto \
	    $$(nm $< | sed -n 's/.* T __wrap_/-Wl,--wrap=/p')

-include $(wildcard $(FAULTS)/*.d)


# Static checks: no finding passes.  What passed is looked at again when it or
# a header has changed.

GLUE     := $(wildcard ngx_module/ngx_*.c)
HEADERS  := $(wildcard ngx_module/*.h)
PASSED   := $(PURE:ngx_module/%.c=%) $(GLUE:ngx_module/%.c=%)

# Findings that are wrong: it takes the table that was copied for the one that
# was freed, does not see that a part that was cut has left a cut, does not go
# through a loop to its end, and takes the links of a queue for null.
$(T)/tidy/og_trie: TIDY_OFF := ,-clang-analyzer-unix.Malloc
$(T)/tidy/og_format_fill: TIDY_OFF := ,-clang-analyzer-unix.Malloc
$(T)/tidy/ngx_http_og_redis_cluster: TIDY_OFF := ,-clang-analyzer-core.NullDereference
$(T)/tidy/og_json_scan: TIDY_OFF := ,-clang-analyzer-core.NullDereference
$(T)/tidy/ngx_http_og_shm_records: \
    TIDY_OFF := ,-clang-analyzer-core.NullDereference

$(T)/gcc/og_% $(T)/clang/og_%: CHECKED_FLAGS := $(STRICT)
$(T)/gcc/ngx_% $(T)/clang/ngx_%: CHECKED_FLAGS := -std=gnu11 -W -Wall -Werror \
    -Wpointer-arith -Wno-unused-parameter $(NGX_INCS)

check: $(BUILD)/Makefile ## warnings, clang-tidy, cppcheck, own rules
	$(call need,$(CHECKING) clang $(PYTEST))
	@$(MAKE) -s -k -j$$(nproc) check-warnings check-tidy check-cppcheck \
	    check-lint

check-warnings: $(PASSED:%=$(T)/gcc/%) $(PASSED:%=$(T)/clang/%)

$(T)/gcc/% $(T)/clang/%: ngx_module/%.c $(HEADERS) t/tests.mk
	@mkdir -p $(@D)
	@$(notdir $(@D)) $(CHECKED_FLAGS) -O2 -fPIC -c -o $@ $<

check-tidy: $(PASSED:%=$(T)/tidy/%)

$(T)/tidy/%: ngx_module/%.c $(HEADERS) t/lint/clang-tidy.yaml t/tests.mk
	@mkdir -p $(@D)
	@clang-tidy --quiet --config-file=t/lint/clang-tidy.yaml \
	    --checks='$(TIDY_OFF)' $< -- -std=gnu11 $(NGX_INCS) > $@.log 2>&1 \
	    || { cat $@.log; exit 1; }
	@touch $@

check-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --std=c11 \
	    --enable=warning,performance,portability \
	    --suppressions-list=t/lint/cppcheck.txt $(PURE) $(GLUE)

check-lint:
	@$(PYTHON) -m pytest -q -p no:cacheprovider t/lint
	@$(PYTHON) t/lint/style.py
	@$(PYTHON) t/lint/includes.py
	@$(PYTHON) t/lint/directives.py
