# The ESP8266 boot loader: one translation unit of core and port, an image of the mask ROM's format, and the same
# bytes as a C array for whoever installs it.
#
# The arrays are committed, in ports/esp8266/prebuilt, and everything that installs a boot loader takes those: module, tool
# and tests have the same bytes, whatever compiler there is, or if there is none. After a change of the boot loader
# `make loader` writes them again; tests/recipe holds that they are what the compiler of tools/deps makes.

LX106 ?= xtensa-lx106-elf-
LOADER_SRC := src/base/crc32_small.c src/upgrade/plan.c src/upgrade/journal.c src/base/sector.c src/upgrade/apply.c src/upgrade/report.c \
    src/upgrade/boot.c ports/esp8266/loader.c
# From the third line on: found by trying what makes the code smaller. maybe-uninitialized: across inlined functions each
# compiler finds another one that is none; the same code is compiled for the host with that warning.
LOADER_FLAGS := -std=c11 -ffreestanding -Os -g -Wall -Wextra -Werror -Wno-maybe-uninitialized -fwhole-program -ffunction-sections \
    -mtext-section-literals -mno-longcalls -fstack-usage \
    -fno-jump-tables -fno-tree-switch-conversion -fno-move-loop-invariants -fno-tree-loop-im \
    -fipa-pta -fno-cse-follow-jumps -fno-tree-coalesce-vars -fno-tree-dominator-opts -fno-guess-branch-probability -fno-thread-jumps -fno-caller-saves -mno-serialize-volatile -frename-registers -fno-schedule-insns2 -fno-tree-reassoc \
    -DMOLT_FIXED_GEOMETRY=1 -DMOLT_FIXED_PLACE=1 -DMOLT_PLAN_TRUSTED=1 -Iinclude -Isrc -Iports/esp8266 -I.
# The overlay's own; found in the same way.
OVERLAY_FLAGS := -DMOLT_RESIDENT_ONLY=1 -fno-tree-dse -flive-range-shrinkage -fno-tree-tail-merge -fschedule-insns2
LOADER_OUT := $(BUILD)/boot
LOADER_ELF := $(LOADER_OUT)/loader.elf
LOADER_BIN := $(LOADER_OUT)/loader.bin
PREBUILT := ports/esp8266/prebuilt
LOADER_GEN := $(PREBUILT)/esp8266_loader.h
LOADER_HDR := $(wildcard include/molt/*.h src/base/*.h src/decode/*.h src/upgrade/*.h src/delta/*.h src/resident/*.h ports/esp8266/*.h) ports/esp8266/machine.c \
    ports/esp8266/upgrading.c

# The resident one: what each start needs, in sector 0, and its overlay, which upgrades.
RESIDENT_SRC := src/base/crc32_small.c src/resident/state.c src/resident/load.c src/resident/resident_config.c src/resident/start.c \
    ports/esp8266/resident.c
OVERLAY_SRC := $(filter-out ports/esp8266/loader.c src/upgrade/report.c,$(LOADER_SRC)) src/resident/state.c \
    src/resident/overlay.c ports/esp8266/overlay.c
RESIDENT_GEN := $(PREBUILT)/esp8266_resident.h $(PREBUILT)/esp8266_overlay.h

# Another compiler makes everything again.
$(LOADER_OUT)/compiler: ask-compiler | deps
	@mkdir -p $(@D)
	@echo "$(LX106)gcc $$($(LX106)gcc -dumpfullversion)" | cmp -s - $@ || \
	    echo "$(LX106)gcc $$($(LX106)gcc -dumpfullversion)" >$@
.PHONY: ask-compiler
LOADER_HDR += $(LOADER_OUT)/compiler

$(LOADER_OUT)/loader.c: ports/esp8266/loader.mk
	@mkdir -p $(@D)
	@for f in $(LOADER_SRC); do echo "#include \"$$f\""; done >$@

$(LOADER_OUT)/resident.c: ports/esp8266/loader.mk
	@mkdir -p $(@D)
	@for f in $(RESIDENT_SRC); do echo "#include \"$$f\""; done >$@

$(LOADER_OUT)/overlay.c: ports/esp8266/loader.mk
	@mkdir -p $(@D)
	@for f in $(OVERLAY_SRC); do echo "#include \"$$f\""; done >$@

$(LOADER_OUT)/loader.o: $(LOADER_OUT)/loader.c $(LOADER_SRC) $(LOADER_HDR) | deps
	$(Q)$(LX106)gcc $(LOADER_FLAGS) -c $< -o $@

$(LOADER_OUT)/resident.o: $(LOADER_OUT)/resident.c $(RESIDENT_SRC) $(LOADER_HDR) | deps
	$(Q)$(LX106)gcc $(LOADER_FLAGS) -c $< -o $@

$(LOADER_OUT)/overlay.o: $(LOADER_OUT)/overlay.c $(OVERLAY_SRC) $(LOADER_HDR) | deps
	$(Q)$(LX106)gcc $(LOADER_FLAGS) $(OVERLAY_FLAGS) -c $< -o $@

$(LOADER_OUT)/rom_calls.o: ports/esp8266/rom_calls.S $(LOADER_OUT)/compiler | deps
	@mkdir -p $(@D)
	$(Q)$(LX106)gcc -mtext-section-literals -c $< -o $@

.SECONDARY: $(foreach n,loader resident overlay,$(LOADER_OUT)/$(n).elf $(LOADER_OUT)/$(n).bin)
$(LOADER_OUT)/overlay.elf: $(LOADER_OUT)/overlay_start.o
$(LOADER_OUT)/%.elf: $(LOADER_OUT)/%.o $(LOADER_OUT)/rom_calls.o ports/esp8266/%.ld
	$(Q)$(LX106)gcc -nostdlib -Wl,--gc-sections -Wl,-T,ports/esp8266/$*.ld -Wl,-Map,$(LOADER_OUT)/$*.map $(filter %.o,$^) -lgcc -o $@

$(LOADER_OUT)/overlay.bin: ELF2ESP_OPTIONS = --overlay
$(LOADER_OUT)/%.bin: $(LOADER_OUT)/%.elf tools/elf2esp
	$(Q)tools/elf2esp $(ELF2ESP_OPTIONS) $< $@

$(LOADER_OUT)/esp8266_%.h: $(LOADER_OUT)/%.bin tools/bin2c
	$(Q)tools/bin2c $< esp8266_$* $@ "gcc $$($(LX106)gcc -dumpfullversion)"
	@{ echo; echo "// The CPU addresses that it uses: address, size."; echo "#define ESP8266_$*_MEMORY { \\"; \
	    sed -n 's/.*ORIGIN = \(0x[0-9a-f]*\), LENGTH = \(0x[0-9a-f]*\).*/    { \1u, \2u }, \\/p' ports/esp8266/$*.ld; \
	    echo "}"; } >>$@

# The extension: the same flags, its own place.
EXTENSION_SRC := src/decode/inflate.c src/decode/unpack.c ports/esp8266/extension.c
EXTENSION_ELF := $(LOADER_OUT)/extension.elf
EXTENSION_GEN := $(PREBUILT)/esp8266_inflate.h

$(LOADER_OUT)/extension.c: ports/esp8266/loader.mk
	@mkdir -p $(@D)
	@for f in $(EXTENSION_SRC); do echo "#include \"$$f\""; done >$@

# It has room: for speed, not for size.
$(LOADER_OUT)/extension.o: $(LOADER_OUT)/extension.c $(EXTENSION_SRC) $(LOADER_HDR) | deps
	$(Q)$(LX106)gcc $(LOADER_FLAGS) -O2 -c $< -o $@

$(LOADER_OUT)/%_start.o: ports/esp8266/start.S $(LOADER_OUT)/compiler | deps
	@mkdir -p $(@D)
	$(Q)$(LX106)gcc -DSTART=molt_$* -c $< -o $@

$(EXTENSION_ELF): $(LOADER_OUT)/extension_start.o $(LOADER_OUT)/extension.o $(LOADER_OUT)/rom_calls.o ports/esp8266/extension.ld
	$(Q)$(LX106)gcc -nostdlib -Wl,--gc-sections -Wl,-T,ports/esp8266/extension.ld $(filter %.o,$^) -lgcc -o $@

$(LOADER_OUT)/extension.bin: $(EXTENSION_ELF)
	$(Q)$(LX106)objcopy -O binary -j .text $< $@

$(LOADER_OUT)/esp8266_inflate.h: $(LOADER_OUT)/extension.bin tools/bin2c
	$(Q)tools/bin2c $< esp8266_inflate $@ "gcc $$($(LX106)gcc -dumpfullversion)"

# The extension for delta files: two objects, so that each has a sector. Of the second all but what the first calls is dropped; it takes
# molt_crc32() from the first.
DELTA_SRC := src/base/crc32_small.c src/base/sector.c src/upgrade/plan.c src/delta/delta_decode.c \
    src/delta/delta_check.c src/delta/delta_log.c src/delta/delta_run.c ports/esp8266/delta.c
DELTA_REST_SRC := src/base/crc32_shift.c src/decode/inflate.c src/delta/delta_predict.c \
    src/delta/delta_stream.c src/delta/delta_file.c
DELTA_ELF := $(LOADER_OUT)/delta.elf
DELTA_GEN := $(PREBUILT)/esp8266_delta.h $(PREBUILT)/esp8266_delta_rest.h
# The last two: found in the same way.
DELTA_FLAGS := -DMOLT_DELTA_SECTORS_MAX=256 -Wno-unused-function -fno-tree-loop-optimize -fno-tree-sink

$(LOADER_OUT)/delta.c: ports/esp8266/loader.mk
	@mkdir -p $(@D)
	@for f in $(DELTA_SRC); do echo "#include \"$$f\""; done >$@

$(LOADER_OUT)/delta.o: $(LOADER_OUT)/delta.c $(DELTA_SRC) $(LOADER_HDR) | deps
	$(Q)$(LX106)gcc $(LOADER_FLAGS) $(DELTA_FLAGS) -c $< -o $@

$(LOADER_OUT)/delta_rest.c: ports/esp8266/loader.mk
	@mkdir -p $(@D)
	@for f in $(DELTA_REST_SRC); do echo "#include \"$$f\""; done >$@

$(LOADER_OUT)/delta_rest.o: $(LOADER_OUT)/delta_rest.c $(DELTA_REST_SRC) $(LOADER_HDR) | deps
	$(Q)$(LX106)gcc $(filter-out -fwhole-program,$(LOADER_FLAGS)) $(DELTA_FLAGS) -c $< -o $@

$(DELTA_ELF): $(LOADER_OUT)/extension_start.o $(LOADER_OUT)/delta.o $(LOADER_OUT)/delta_rest.o $(LOADER_OUT)/rom_calls.o ports/esp8266/delta.ld
	$(Q)$(LX106)gcc -nostdlib -Wl,--gc-sections -Wl,-T,ports/esp8266/delta.ld $(filter %.o,$^) -lgcc -o $@

$(LOADER_OUT)/delta.bin: $(DELTA_ELF)
	$(Q)$(LX106)objcopy -O binary -j .text $< $@

$(LOADER_OUT)/delta_rest.bin: $(DELTA_ELF) tools/seal
	$(Q)$(LX106)objcopy -O binary -j .rest $< $@.new && tools/seal $@.new 4096 $@

$(LOADER_OUT)/esp8266_delta.h $(LOADER_OUT)/esp8266_delta_rest.h: $(LOADER_OUT)/esp8266_%.h: $(LOADER_OUT)/%.bin tools/bin2c
	$(Q)tools/bin2c $< esp8266_$* $@ "gcc $$($(LX106)gcc -dumpfullversion)"

# What this compiler makes of these sources, and beside it what is committed.
LOADER_MADE := $(patsubst $(PREBUILT)/%,$(LOADER_OUT)/%,$(LOADER_GEN) $(RESIDENT_GEN) $(EXTENSION_GEN) $(DELTA_GEN))

.PHONY: loader
loader: $(LOADER_MADE) ## rebuild the boot loader of the ESP8266, as an image and as the C arrays that are committed
	@for f in $(notdir $(LOADER_MADE)); do cmp -s $(LOADER_OUT)/$$f $(PREBUILT)/$$f || \
	    { cp $(LOADER_OUT)/$$f $(PREBUILT)/$$f && echo "  MADE $(PREBUILT)/$$f"; }; done
