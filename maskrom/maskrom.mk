# The board that runs the chip's own mask ROM, and the test that needs a dump of it: make maskrom MASKROM=dump.bin

FLAGS_maskrom = $(HOST_FLAGS) -Imaskrom
MASKROM_BOARD := $(BUILD)/maskrom-board

$(MASKROM_BOARD): $(OUT)/maskrom-board
	$(Q)cp $< $@

$(OUT)/maskrom-board: $(call objects,$(wildcard maskrom/*.c))
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ -o $@

.PHONY: maskrom
maskrom: $(BUILD)/molt $(MASKROM_BOARD) ## the boot loaders on a real mask ROM, of which MASKROM=FILE is a dump; CUTS=N power cuts
	@tests/run --timeout 7200 'maskrom=$(SUITE_maskrom)'

test-programs: $(MASKROM_BOARD)
