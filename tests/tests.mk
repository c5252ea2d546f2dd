# How the tests are built, and run; what there is to run: tests/suites.mk.

# With what makes a delta file. Debian has libdivsufsort for the host's own word size only.
TEST_FIXTURE := $(call objects,$(wildcard tests/fixture/*.c cmd/molt/delta/*.c) $(if $(filter m32,$(VARIANT)),tests/lib/suffixes/suffixes.c))
TEST_LIBRARIES := -lz -lm $(if $(filter m32,$(VARIANT)),,-ldivsufsort)
TEST_LIBS := $(SIM_LIB) $(LFS_LIB) $(CORE_LIB)
# Beside the programs of tests/unit: what they share. Fuzz targets share it too.
UNIT_PARTS := $(call objects,$(filter-out tests/unit/test_% tests/unit/planned.c,$(wildcard tests/unit/*.c)))
# What has no need of cmocka, of which Debian has none for -m32.
FUZZ_PARTS = $(filter-out %/standby_rig.o,$(UNIT_PARTS))
UNIT_NAMES := $(patsubst tests/unit/test_%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60

FLAGS_tests/fixture = $(FLAGS_tests/unit)

$(TEST_FIXTURE): $(LOADER_GEN) $(RESIDENT_GEN) $(EXTENSION_GEN) $(DELTA_GEN)

# The cut suite, and once more with the boot loaders' sources compiled as they are for the chip: each loader is one unit,
# of which one name is left.
SHIPPED_FLAGS = -std=gnu11 -Os -Wall -Wextra -Werror $(filter -DMOLT_%,$(LOADER_FLAGS)) -Iinclude -Isrc -Isim -I.
# Name, sources, flags of its own.
define shipped_unit
$(OUT)/shipped/$(1).o: $(2) tests/cut/shipped.h $(wildcard include/molt/*.h src/base/*.h src/upgrade/*.h src/delta/*.h src/resident/*.h sim/*.h) | deps
	@mkdir -p $$(@D)
	@echo '  cc $(1), as it is shipped'
	$$(Q)for f in $(2); do echo "#include \"$$$$f\""; done >$$(@:.o=.c)
	$$(Q)$$(CC) $$(CFLAGS_VARIANT) $$(SHIPPED_FLAGS) $(3) -c $$(@:.o=.c) -o $$@
	$$(Q)objcopy --keep-global-symbol=shipped_$(1) $$@
endef
shipped_src = $(filter-out ports/% %/crc32_small.c,$(1))
$(eval $(call shipped_unit,once,$(call shipped_src,$(LOADER_SRC)) tests/cut/shipped_once.c,))
$(eval $(call shipped_unit,resident,$(call shipped_src,$(RESIDENT_SRC)) tests/cut/shipped_resident.c,))
$(eval $(call shipped_unit,overlay,$(call shipped_src,$(OVERLAY_SRC)) tests/cut/shipped_overlay.c,-DMOLT_RESIDENT_ONLY=1))
$(eval $(call shipped_unit,standby,$(call shipped_src,$(esp32c3_SRC)) tests/cut/shipped_standby.c,-UMOLT_FIXED_PLACE -DMOLT_STANDBY_ONLY=1 -DMOLT_DELTA=0))

$(eval $(call shipped_unit,delta,$(call shipped_src,$(DELTA_SRC) $(DELTA_REST_SRC)) tests/cut/shipped_delta.c,))
$(eval $(call shipped_unit,delta_standby,$(call shipped_src,$(ESP32_DELTA_SRC)) tests/cut/shipped_delta_standby.c,-UMOLT_FIXED_PLACE -DMOLT_STANDBY_ONLY=1))

# The mask ROM's SHA-1 is a stand-in everywhere here. On the host, where the cuts are most, it and the CRC are fast ones.
CUT_DIGESTS = $(if $(filter host,$(VARIANT)),$(OUT)/tests/cut/digests.o)
CUT_PARTS = $(TEST_FIXTURE) $(CUT_DIGESTS) $(TEST_LIBS)
CUT_LIBS = $(TEST_LIBRARIES) $(if $(filter host,$(VARIANT)),-lnettle)

$(OUT)/cut-shipped: $(OUT)/tests/cut/cut.o $(OUT)/tests/cut/code_shipped.o $(OUT)/shipped/once.o $(OUT)/shipped/resident.o \
    $(OUT)/shipped/overlay.o $(OUT)/shipped/standby.o $(OUT)/shipped/delta.o $(OUT)/shipped/delta_standby.o $(CUT_PARTS)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ $(CUT_LIBS) -o $@

$(OUT)/cut: $(OUT)/tests/cut/cut.o $(OUT)/tests/cut/code_host.o $(CUT_PARTS)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ $(CUT_LIBS) -o $@

$(OUT)/cut-calls: $(OUT)/tests/cut/cut_calls.o $(TEST_FIXTURE) $(TEST_LIBS)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ $(TEST_LIBRARIES) -o $@

$(OUT)/unit/%: $(OUT)/tests/unit/test_%.o $(UNIT_PARTS) $(TEST_FIXTURE) $(TEST_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ -lcmocka $(TEST_LIBRARIES) -o $@

$(OUT)/unit/plan $(OUT)/unit/plan_layout: $(call objects,tests/unit/planned.c)
# The programs of docs/using-from-c.md run there.
$(OUT)/unit/job: $(call objects,$(wildcard examples/*.c))

$(OUT)/replay/%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o $(FUZZ_PARTS) $(TEST_FIXTURE) $(TEST_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ $(TEST_LIBRARIES) -o $@

# make VARIANT=fuzz CC=clang
VARIANT_fuzz_LINK := -fsanitize=fuzzer,address,undefined
$(OUT)/fuzz/%: $(OUT)/tests/fuzz/fuzz_%.o $(FUZZ_PARTS) $(TEST_FIXTURE) $(TEST_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(VARIANT_fuzz_LINK) $^ $(TEST_LIBRARIES) -o $@

.PRECIOUS: $(OUT)/%.o

# What is run in each build. cmocka is there for the host's own word size only.
.PHONY: host-programs asan-programs m32-programs fuzz-programs
host-programs: $(UNIT_NAMES:%=$(OUT)/unit/%) $(FUZZ_NAMES:%=$(OUT)/replay/%) $(OUT)/cut $(OUT)/cut-shipped $(OUT)/cut-calls
asan-programs: host-programs
m32-programs: $(FUZZ_NAMES:%=$(OUT)/replay/%) $(OUT)/cut
fuzz-programs: $(FUZZ_NAMES:%=$(OUT)/fuzz/%)

-include tests/e2e/e2e.mk

# The mutants are built by their own runner; this is how.
define MUTANTS_CONFIG
cc = $(CC) $(VARIANT_host) -w
link = $(OUT)/tests/cut/cut.o $(OUT)/tests/cut/code_host.o $(CUT_PARTS) $(CUT_LIBS)
$(foreach d,$(addprefix src/,$(ROOMS)) sim,flags $(d) = $(FLAGS_$(d))
)
endef

VARIANT_MAKE = +$(Q)$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j2)
.PHONY: test-programs
# tests/loader looks at what the compilers have made.
test-programs: $(ESP32_MADE) | deps
	$(VARIANT_MAKE) host-programs
	$(VARIANT_MAKE) VARIANT=asan asan-programs
	$(VARIANT_MAKE) VARIANT=m32 m32-programs
	$(file >$(BUILD)/mutants-upgrade.config,$(MUTANTS_CONFIG))
	$(file >$(BUILD)/suites,$(foreach s,$(TEST_SUITES),$(s)=$(SUITE_$(s))$(test_newline)))
	$(file >$(BUILD)/suites-full,$(foreach s,$(TEST_FULL_SUITES),$(s)=$(SUITE_$(s))$(test_newline)))
define test_newline


endef

.PHONY: test
test: test-programs ## all tests that need no chip; the last line counts them
	@tests/run $(BUILD)/suites

.PHONY: test-full
test-full: test-programs $(CEILING) ## the tests, and more cuts: an hour or two
	@tests/run --timeout 3600 $(BUILD)/suites-full $(BUILD)/suites

.PHONY: cut
cut: $(OUT)/cut ## the cut suite alone: power cuts in every flash operation
	@$(OUT)/cut

.PHONY: fuzz
fuzz: ## libFuzzer on every parser, FUZZ_SECONDS (60) each; finds go to build/finds
	$(VARIANT_MAKE) VARIANT=fuzz CC=clang fuzz-programs \
	    'VARIANT_fuzz=-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
	@mkdir -p $(BUILD)/finds
	@for f in $(FUZZ_NAMES); do \
	    mkdir -p $(BUILD)/corpus/$$f && echo "fuzz $$f, $(FUZZ_SECONDS) s" && \
	    $(BUILD)/fuzz/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=8192 -print_final_stats=1 \
	        -artifact_prefix=$(BUILD)/finds/$$f- $(BUILD)/corpus/$$f tests/fuzz/corpus/$$f >$(BUILD)/finds/$$f.log 2>&1 \
	    && grep -E "number_of_executed_units|new_units_added" $(BUILD)/finds/$$f.log \
	    || { tail -n 40 $(BUILD)/finds/$$f.log; exit 1; }; done

# What MicroPython's port computes, for the test of the flash maps.
$(BUILD)/gen/port_maps.h: tests/map/port_maps.py $(wildcard $(addprefix $(MICROPY_DIR)/ports/esp8266/,\
    boards/*.ld boards/ESP8266_GENERIC/*.mk modesp.c modules/flashbdev.py)) | deps
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $< $(MICROPY_DIR) >$@.new && mv $@.new $@
$(OUT)/tests/unit/test_map.o: $(BUILD)/gen/port_maps.h

# The store of frozen modules has a cut suite of its own.
$(OUT)/cut-store: $(OUT)/tests/cut/cut_store.o $(OUT)/tests/fixture/frozen.o $(CUT_DIGESTS) $(SIM_LIB) $(CORE_LIB)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ $(CUT_LIBS) -o $@
host-programs m32-programs: $(OUT)/cut-store
define STORE_MUTANTS_CONFIG
cc = $(CC) $(VARIANT_host) -w
link = $(BUILD)/host/tests/cut/cut_store.o $(BUILD)/host/tests/fixture/frozen.o $(BUILD)/host/tests/cut/digests.o $(BUILD)/host/libmoltsim.a $(BUILD)/host/libmolt.a $(CUT_LIBS)
flags src/frozen = $(FLAGS_src/frozen)
endef
.PHONY: store-mutants-config
store-mutants-config:
	$(file >$(BUILD)/mutants-store.config,$(STORE_MUTANTS_CONFIG))
test-programs: store-mutants-config

# The tool, the virtual board, and MicroPython on it: molt's, and the second one.
asan-programs: $(OUT)/molt
test-programs: $(BUILD)/molt vboard firmwares $(MOLT_MAP_FIRMWARES)

# The tool with the second MicroPython's littlefs (2.11; molt's MicroPython has 2.8). Where that MicroPython is not there its
# suite says so.
SECOND_TOOL := $(BUILD)/second/molt
ifneq ($(wildcard $(MICROPY_DIR_2)/lib/littlefs/lfs2.c),)
.PHONY: second-tool
second-tool:
	$(VARIANT_MAKE) VARIANT=second MICROPY_DIR=$(MICROPY_DIR_2) $(SECOND_TOOL)
test-programs: second-tool
endif
