# The standby loader of the ESP32-C3: one translation unit of core and port. What comes of it is the code of its one real segment, as
# a C array; installing makes an app image of it (src/standby). Committed in ports/esp32c3/prebuilt, for the reasons that the
# ESP8266's are.

RV32 ?= riscv64-unknown-elf-
ESP32C3_SRC := src/upgrade/plan.c src/upgrade/journal.c src/upgrade/marks.c src/base/sector.c src/upgrade/apply.c \
    src/upgrade/report.c src/upgrade/boot.c ports/esp32c3/rom_digests.c ports/esp32c3/loader.c
ESP32C3_EXTENSION_SRC := src/decode/inflate.c src/decode/unpack.c ports/esp32c3/extension.c
ESP32C3_ARCH := -march=rv32imc -mabi=ilp32
ESP32C3_FLAGS := -std=c11 -ffreestanding $(ESP32C3_ARCH) -Os -g -Wall -Wextra -Werror -Wno-maybe-uninitialized -fwhole-program \
    -ffunction-sections -msave-restore -fno-tree-loop-im -fno-move-loop-invariants -fipa-pta -fno-thread-jumps -fno-tree-sra -fno-inline-small-functions -fno-ssa-phiopt -fno-guess-branch-probability -mtune=size \
    -DMOLT_FIXED_GEOMETRY=1 -DMOLT_STANDBY_ONLY=1 -DMOLT_DELTA=0 -DMOLT_PLAN_TRUSTED=1 -Iinclude -Isrc -Iports/esp32c3 -I.
ESP32C3_OUT := $(BUILD)/boot/esp32c3
ESP32C3_PREBUILT := ports/esp32c3/prebuilt
ESP32C3_HDR := $(filter-out ports/%,$(LOADER_HDR)) $(wildcard ports/esp32c3/*.h) ports/esp32c3/loader.mk
ESP32C3_GEN := $(ESP32C3_PREBUILT)/esp32c3_loader.h $(ESP32C3_PREBUILT)/esp32c3_inflate.h
ESP32C3_MADE := $(patsubst $(ESP32C3_PREBUILT)/%,$(ESP32C3_OUT)/%,$(ESP32C3_GEN))

$(ESP32C3_OUT)/loader.c: ports/esp32c3/loader.mk
	@mkdir -p $(@D)
	@for f in $(ESP32C3_SRC); do echo "#include \"$$f\""; done >$@

$(ESP32C3_OUT)/inflate.c: ports/esp32c3/loader.mk
	@mkdir -p $(@D)
	@for f in $(ESP32C3_EXTENSION_SRC); do echo "#include \"$$f\""; done >$@

$(ESP32C3_OUT)/loader.o: $(ESP32C3_OUT)/loader.c $(ESP32C3_SRC) $(ESP32C3_HDR) | deps
	$(Q)$(RV32)gcc $(ESP32C3_FLAGS) -c $< -o $@

# It has room: for speed, not for size.
$(ESP32C3_OUT)/inflate.o: $(ESP32C3_OUT)/inflate.c $(ESP32C3_EXTENSION_SRC) $(ESP32C3_HDR) | deps
	$(Q)$(RV32)gcc $(ESP32C3_FLAGS) -O2 -c $< -o $@

$(ESP32C3_OUT)/loader_start.o: ports/esp32c3/start.S | deps
	@mkdir -p $(@D)
	$(Q)$(RV32)gcc $(ESP32C3_ARCH) -DSTART=molt_loader_entry -DPLAN_ADDR=molt_plan_addr -c $< -o $@

$(ESP32C3_OUT)/inflate_start.o: ports/esp32c3/start.S | deps
	@mkdir -p $(@D)
	$(Q)$(RV32)gcc $(ESP32C3_ARCH) -DSTART=molt_extension -c $< -o $@

$(ESP32C3_OUT)/loader.elf: ports/esp32c3/loader.ld
$(ESP32C3_OUT)/inflate.elf: ports/esp32c3/extension.ld
$(ESP32C3_OUT)/%.elf: $(ESP32C3_OUT)/%_start.o $(ESP32C3_OUT)/%.o
	$(Q)$(RV32)gcc $(ESP32C3_ARCH) -nostdlib -Wl,--gc-sections -Wl,-T,$(filter %.ld,$^) -Wl,-Map,$(@:.elf=.map) $(filter %.o,$^) -lgcc -o $@

$(ESP32C3_OUT)/%.bin: $(ESP32C3_OUT)/%.elf
	$(Q)$(RV32)objcopy -O binary -j .text $< $@

$(ESP32C3_OUT)/esp32c3_%.h: $(ESP32C3_OUT)/%.bin tools/bin2c
	$(Q)tools/bin2c $< esp32c3_$* $@ "gcc $$($(RV32)gcc -dumpfullversion)"

.SECONDARY: $(foreach n,loader inflate,$(ESP32C3_OUT)/$(n).elf $(ESP32C3_OUT)/$(n).bin)

.PHONY: loader-esp32c3
loader: loader-esp32c3
loader-esp32c3: $(ESP32C3_MADE)
	@mkdir -p $(ESP32C3_PREBUILT)
	@for f in $(notdir $(ESP32C3_MADE)); do cmp -s $(ESP32C3_OUT)/$$f $(ESP32C3_PREBUILT)/$$f || \
	    { cp $(ESP32C3_OUT)/$$f $(ESP32C3_PREBUILT)/$$f && echo "  MADE $(ESP32C3_PREBUILT)/$$f"; }; done
