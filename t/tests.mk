# What tests the module; included by the Makefile.

TEST_BUILD := $(BUILD)/t
UNIT       := $(patsubst t/unit/test_%.c,%,$(wildcard t/unit/test_*.c))
FUZZ       := $(patsubst t/fuzz/fuzz_%.c,%,$(wildcard t/fuzz/fuzz_*.c))
FUZZ_TIME  ?= 60

PURE_CFLAGS := -g -O2 -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Werror \
               -Ingx_module

unit: ## unit tests of the pure files
	@mkdir -p $(TEST_BUILD)
	@set -e; for t in $(UNIT); do \
	    $(CC) $(PURE_CFLAGS) $(UNIT_CFLAGS) -o $(TEST_BUILD)/test_$$t \
	        t/unit/test_$$t.c $(PURE) -lcmocka -ljansson; \
	    $(TEST_BUILD)/test_$$t; \
	done

prove: $(MODULE) ## t/*.t, in Test::Nginx format
	@OG_MODULE=$(MODULE) t/run

system: $(MODULE) ## concurrency, faults, stores, examples
	@OG_MODULE=$(MODULE) $(PYTHON) -m pytest -q -p no:cacheprovider t/system

fuzz: ## every fuzzer for FUZZ_TIME seconds
	$(call need,$(FUZZING))
	@mkdir -p $(TEST_BUILD)
	@set -e; for t in $(FUZZ); do \
	    clang $(PURE_CFLAGS) -fsanitize=fuzzer,address,undefined \
	        -o $(TEST_BUILD)/fuzz_$$t t/fuzz/fuzz_$$t.c $(PURE) -ljansson; \
	    mkdir -p $(TEST_BUILD)/corpus/$$t; \
	    dict=t/fuzz/$$t.dict; \
	    $(TEST_BUILD)/fuzz_$$t -max_total_time=$(FUZZ_TIME) \
	        $$([ -f $$dict ] && echo -dict=$$dict) \
	        -artifact_prefix=$(TEST_BUILD)/ \
	        $(TEST_BUILD)/corpus/$$t t/fuzz/corpus/$$t; \
	done

bench-json: ## the JSON cutter beside jansson
	@mkdir -p $(TEST_BUILD)
	@$(CC) $(PURE_CFLAGS) -O3 -o $(TEST_BUILD)/bench_json \
	    t/bench/bench_json.c $(PURE) -ljansson
	@$(TEST_BUILD)/bench_json
