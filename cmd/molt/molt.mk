# The command-line tool.

$(BUILD)/molt: $(OUT)/molt
	$(Q)cp $< $@

$(call objects,$(SIM_SRC) $(TOOL_SRC)): $(LOADER_GEN) $(RESIDENT_GEN) $(EXTENSION_GEN) $(DELTA_GEN)

$(OUT)/molt: $(call objects,$(TOOL_SRC)) $(SIM_LIB) $(LFS_LIB) $(CORE_LIB)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ -lz -ldeflate -ldivsufsort -lcurl -ljansson -lm -o $@
