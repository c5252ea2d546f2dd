# The docs: every figure that the README states, the code and the commands in them, and the template of a port.

$(call objects,bench/bench.c): $(LOADER_GEN) $(RESIDENT_GEN) $(EXTENSION_GEN) $(DELTA_GEN)

$(OUT)/bench-program: $(call objects,bench/bench.c) $(TEST_FIXTURE) $(TEST_LIBS)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ $(TEST_LIBRARIES) -o $@

# What is measured.
SIZE_OF := $(LOADER_BIN) $(LOADER_OUT)/resident.bin $(LOADER_OUT)/resident.elf $(LOADER_OUT)/extension.bin

.PHONY: bench
bench: $(OUT)/bench-program $(OUT)/cut $(BUILD)/molt $(SIZE_OF) vboard firmwares $(BUILD)/mip/package.json ## every figure of the README: times, sizes, cuts; minutes
	@bench/run $(BUILD) $(OUT)

# tools/size asks the program for the bytes of stored plans.
size: $(OUT)/bench-program $(SIZE_OF)

# The template is built so that it stays right.
FLAGS_ports/template = $(CORE_FLAGS) -Iinclude -Isrc -Iports/template
all: $(call objects,$(filter-out %/try.c,$(wildcard ports/template/*.c)))

# tools/size is a test, too.
test-programs: $(OUT)/bench-program $(SIZE_OF)
