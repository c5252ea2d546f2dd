# `make bench`: every figure that the README states, in one run.

$(call objects,bench/bench.c): $(LOADER_GEN) $(EXTENSION_GEN)

$(OUT)/bench-program: $(call objects,bench/bench.c) $(TEST_FIXTURE) $(TEST_ENGINE) $(TEST_LIBS)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ -lz -o $@

.PHONY: bench
bench: $(OUT)/bench-program $(OUT)/cut $(LOADER_BIN) $(EXTENSION_GEN) vboard firmwares ## every figure of the README: times, sizes, cuts; minutes
	@bench/run $(BUILD) $(OUT)

# tools/size asks the program for the bytes of stored plans.
size: $(OUT)/bench-program $(LOADER_BIN) $(EXTENSION_GEN)
