# The standby loaders of the ESP32 family: one translation unit of core and port for each chip. What comes of it is the code of its
# one real segment, as a C array; installing makes an app image of it (src/standby). Committed in ports/esp32/prebuilt, for the
# reasons that the ESP8266's are.
#
# What a chip has of its own is in ports/esp32/<chip>: chip.h, its registers; chip.ld, its memory and mask ROM. What an
# architecture has is in ports/esp32/<architecture>: arch.h, start.S, loader.ld, extension.ld; and below, in its variables.

RV32 ?= riscv64-unknown-elf-

ESP32_CHIPS_riscv := esp32c3 esp32c2 esp32c6 esp32c61 esp32h2
ESP32_CROSS_riscv = $(RV32)
ESP32_ARCH_riscv := -march=rv32imc -mabi=ilp32
# The second line on: found by trying what makes the code smaller.
ESP32_FLAGS_riscv := -msave-restore -fno-tree-loop-im -fno-move-loop-invariants -fipa-pta -fno-thread-jumps -fno-tree-sra -mtune=size
# Likewise, where speed is nothing.
ESP32_SMALL_riscv := -fno-inline-small-functions -fno-ssa-phiopt -fno-guess-branch-probability -fira-region=all
ESP32_SRC_riscv = ports/esp32/rom_digests.c $(or $(ESP32_READ_$(1)),ports/esp32/rom_read.c) ports/esp32/rom_flash.c
ESP32_READ_esp32c6 := ports/esp32/spi1_read.c
ESP32_LIBS_riscv := -lgcc
ESP32_SECTIONS_riscv := .text

# The compiler is the ESP8266's, which can be told to use the windowed ABI; the instructions that its assembler lacks are in
# xtensa/windowed.inc. Its libgcc is of the other ABI: the mask ROMs have what is needed of it.
ESP32_CHIPS_xtensa := esp32 esp32s2 esp32s3
ESP32_CROSS_xtensa = $(LX106)
ESP32_ARCH_xtensa := -mabi=windowed -mtext-section-literals -mno-longcalls -Wa,-Iports/esp32/xtensa
# From the third flag on: found by trying what makes the code smaller.
ESP32_FLAGS_xtensa := -mno-serialize-volatile -mno-target-align -fno-jump-tables -fno-tree-switch-conversion \
    -fno-cse-follow-jumps -fno-dce -fno-early-inlining -fno-guess-branch-probability -fno-inline-small-functions \
    -fno-move-loop-invariants -freorder-blocks -fno-tree-dominator-opts -fno-tree-loop-im -fno-tree-tail-merge \
    -fno-sched-critical-path-heuristic --param=max-jump-thread-duplication-stmts=3 -fconserve-stack -fno-tree-loop-optimize \
    -fno-caller-saves
ESP32_SRC_xtensa = $(or $(ESP32_DIGESTS_$(1)),ports/esp32/rom_digests.c) ports/esp32/spi1_flash.c
ESP32_DIGESTS_esp32 := ports/esp32/esp32/digests.c
ESP32_LIBS_xtensa :=
ESP32_SECTIONS_xtensa := .text .rodata
ESP32_POST_xtensa := ports/esp32/xtensa/window_calls

# The mask ROM is further away from its IRAM than a CALL8 reaches: these are called by their addresses.
esp32_comma := ,
ESP32_FLAGS_esp32s3 := $(patsubst %,-Wa$(esp32_comma)--defsym$(esp32_comma)far_%=1,$(shell sed -n 's/^\(\w*\) = 0x.*/\1/p' \
    ports/esp32/esp32s3/chip.ld))

# Where there is no room for trials; and the Xtensa chips do not run code from where the plan is read to.
ESP32_NO_TRIAL := esp32c6 $(ESP32_CHIPS_xtensa)

ESP32_ARCHS := riscv xtensa
ESP32_CORE_SRC := src/upgrade/plan.c src/upgrade/journal.c src/upgrade/marks.c src/base/sector.c src/upgrade/apply.c \
    src/upgrade/boot.c src/upgrade/boot_standby.c
# In the plan of a trial: position-independent.
ESP32_TRIAL_SRC := src/upgrade/marks.c src/upgrade/trial.c ports/esp32/trial.c
ESP32_TRIAL_FLAGS_riscv := -mcmodel=medany
# The extension for delta files: what does not fit into one sector is a part of its own, in the order in which they are linked.
ESP32_DELTA_SRC := src/base/sector.c src/upgrade/plan.c src/upgrade/journal.c src/upgrade/marks.c src/upgrade/starts.c \
    src/base/crc32_shift.c src/decode/inflate.c \
    src/delta/delta_stream.c src/delta/delta_predict.c src/delta/delta_file.c src/delta/delta_decode.c src/delta/delta_check.c src/delta/delta_log.c \
    src/delta/delta_run.c src/delta/delta_standby.c
ESP32_EXTENSION_SRC := src/decode/inflate.c src/decode/unpack.c ports/esp32/extension.c
ESP32_FLAGS := -std=c11 -ffreestanding -Os -g -Wall -Wextra -Werror -Wno-maybe-uninitialized -fwhole-program -ffunction-sections \
    -DMOLT_FIXED_GEOMETRY=1 -DMOLT_STANDBY_ONLY=1 -DMOLT_DELTA=0 -DMOLT_PLAN_TRUSTED=1 -Iinclude -Isrc -Iports/esp32 -I.
ESP32_PREBUILT := ports/esp32/prebuilt
ESP32_HDR := $(filter-out ports/%,$(LOADER_HDR)) $(wildcard ports/esp32/*.h) ports/esp32/machine.c ports/esp32/loader.mk
ESP32_GEN :=
ESP32_MADE :=

# Chip, architecture.
define esp32_loader
$(1)_OUT := $$(BUILD)/boot/$(1)
$(1)_SRC := $$(ESP32_CORE_SRC) $(ESP32_SRC_$(2)) ports/esp32/loader.c
$(1)_CC = $$(ESP32_CROSS_$(2))gcc $$(ESP32_FLAGS) $$(ESP32_ARCH_$(2)) $$(ESP32_FLAGS_$(2)) $$(ESP32_FLAGS_$(1)) $$(if $$(filter $(1),$$(ESP32_NO_TRIAL)),-DMOLT_TRIAL=0) \
    -Iports/esp32/$(1) -Iports/esp32/$(2)
$(1)_HDR := $$(ESP32_HDR) ports/esp32/$(1)/chip.h ports/esp32/$(1)/chip.ld $$(wildcard ports/esp32/$(2)/*.h ports/esp32/$(2)/*.inc)
$(1)_PARTS := loader inflate delta delta_rest $$(if $$(filter $(1),$$(ESP32_NO_TRIAL)),,trial)
ESP32_GEN += $$(foreach n,$$($(1)_PARTS),$$(ESP32_PREBUILT)/$(1)_$$(n).h)
ESP32_MADE += $$(foreach n,$$($(1)_PARTS),$$($(1)_OUT)/$(1)_$$(n).h)

$$($(1)_OUT)/loader.c: ports/esp32/loader.mk
	@mkdir -p $$(@D)
	@for f in $$($(1)_SRC); do echo "#include \"$$$$f\""; done >$$@

$$($(1)_OUT)/inflate.c: ports/esp32/loader.mk
	@mkdir -p $$(@D)
	@for f in $$(ESP32_EXTENSION_SRC); do echo "#include \"$$$$f\""; done >$$@

$$($(1)_OUT)/delta_whole.c: ports/esp32/loader.mk
	@mkdir -p $$(@D)
	@for f in $$(ESP32_DELTA_SRC) $(ESP32_SRC_$(2)) ports/esp32/delta.c; do echo "#include \"$$$$f\""; done >$$@

$$($(1)_OUT)/trial.c: ports/esp32/loader.mk
	@mkdir -p $$(@D)
	@for f in $$(ESP32_TRIAL_SRC); do echo "#include \"$$$$f\""; done >$$@

$$($(1)_OUT)/loader.o: $$($(1)_OUT)/loader.c $$($(1)_SRC) $$($(1)_HDR) | deps
	$$(Q)$$($(1)_CC) $$(ESP32_SMALL_$(2)) -c $$< -o $$@

$$($(1)_OUT)/delta_whole.o: $$($(1)_OUT)/delta_whole.c $$(ESP32_DELTA_SRC) $(ESP32_SRC_$(2)) ports/esp32/delta.c $$($(1)_HDR) | deps
	$$(Q)$$($(1)_CC) -UMOLT_DELTA -DMOLT_DELTA=1 $$(ESP32_SMALL_$(2)) -c $$< -o $$@

# It has room: for speed, not for size.
$$($(1)_OUT)/inflate.o: $$($(1)_OUT)/inflate.c $$(ESP32_EXTENSION_SRC) $$($(1)_HDR) | deps
	$$(Q)$$($(1)_CC) -O2 -c $$< -o $$@

$$($(1)_OUT)/trial.o: $$($(1)_OUT)/trial.c $$(ESP32_TRIAL_SRC) $$($(1)_HDR) | deps
	$$(Q)$$($(1)_CC) $$(ESP32_TRIAL_FLAGS_$(2)) $$(ESP32_SMALL_$(2)) -c $$< -o $$@

$$($(1)_OUT)/loader_start.o: ports/esp32/$(2)/start.S | deps
	@mkdir -p $$(@D)
	$$(Q)$$(ESP32_CROSS_$(2))gcc $$(ESP32_ARCH_$(2)) -DSTART=molt_loader_entry -DPLAN_ADDR=molt_plan_addr -c $$< -o $$@

$$($(1)_OUT)/inflate_start.o $$($(1)_OUT)/delta_whole_start.o: ports/esp32/$(2)/start.S | deps
	@mkdir -p $$(@D)
	$$(Q)$$(ESP32_CROSS_$(2))gcc $$(ESP32_ARCH_$(2)) -DSTART=molt_extension -c $$< -o $$@

$$($(1)_OUT)/trial_start.o: ports/esp32/$(2)/start.S | deps
	@mkdir -p $$(@D)
	$$(Q)$$(ESP32_CROSS_$(2))gcc $$(ESP32_ARCH_$(2)) -DSTART=molt_trial_entry -c $$< -o $$@

$$($(1)_OUT)/loader.elf: ports/esp32/$(1)/chip.ld ports/esp32/$(2)/loader.ld
$$($(1)_OUT)/inflate.elf: ports/esp32/$(1)/chip.ld ports/esp32/$(2)/extension.ld
$$($(1)_OUT)/delta_whole.elf: ports/esp32/$(1)/chip.ld ports/esp32/$(2)/delta.ld
$$($(1)_OUT)/trial.elf $$($(1)_OUT)/elsewhere.elf: ports/esp32/$(1)/chip.ld ports/esp32/$(2)/trial.ld
$$($(1)_OUT)/trial.elf: $(1)_BASE := -Wl,--defsym,TRIAL_BASE=0x10000
$$($(1)_OUT)/elsewhere.elf: $(1)_BASE := -Wl,--defsym,TRIAL_BASE=0x3ab4c0
$$($(1)_OUT)/elsewhere.elf: $$($(1)_OUT)/trial_start.o $$($(1)_OUT)/trial.o
	$$(Q)$$(ESP32_CROSS_$(2))gcc $$(ESP32_ARCH_$(2)) -nostdlib -Wl,--gc-sections $$(addprefix -T ,$$(filter %.ld,$$^)) $$($(1)_BASE) \
	    $$(filter %.o,$$^) $$(ESP32_LIBS_$(2)) -o $$@
# It is the same wherever it is.
$$($(1)_OUT)/trial.bin: $$($(1)_OUT)/trial.elf $$($(1)_OUT)/elsewhere.bin
	$$(Q)$$(ESP32_CROSS_$(2))objcopy -O binary -j .text $$< $$@
	@cmp $$@ $$($(1)_OUT)/elsewhere.bin || { rm $$@; echo "$(1): a trial's code is not position-independent"; false; }
$$($(1)_OUT)/%.elf: $$($(1)_OUT)/%_start.o $$($(1)_OUT)/%.o
	$$(Q)$$(ESP32_CROSS_$(2))gcc $$(ESP32_ARCH_$(2)) -nostdlib -Wl,--gc-sections $$(addprefix -T ,$$(filter %.ld,$$^)) \
	    $$($(1)_BASE) -Wl,-Map,$$(@:.elf=.map) $$(filter %.o,$$^) $$(ESP32_LIBS_$(2)) -o $$@

$$($(1)_OUT)/%.bin: $$($(1)_OUT)/%.elf
	$$(Q)$$(ESP32_CROSS_$(2))objcopy -O binary $$(addprefix -j ,$$(ESP32_SECTIONS_$(2))) $$< $$@
	$(if $(ESP32_POST_$(2)),$$(Q)$(ESP32_POST_$(2)) $$< $$@)

# The sector that the loader loads, and the rest.
$$($(1)_OUT)/delta.bin: $$($(1)_OUT)/delta_whole.bin
	$$(Q)head -c 4080 $$< >$$@
$$($(1)_OUT)/delta_rest.bin: $$($(1)_OUT)/delta_whole.bin
	$$(Q)tail -c +4081 $$< >$$@

$$($(1)_OUT)/$(1)_%.h: $$($(1)_OUT)/%.bin tools/bin2c
	$$(Q)tools/bin2c $$< $(1)_$$* $$@ "gcc $$$$($$(ESP32_CROSS_$(2))gcc -dumpfullversion)"

.SECONDARY: $$(foreach n,loader inflate delta_whole trial,$$($(1)_OUT)/$$(n).elf $$($(1)_OUT)/$$(n).bin)
endef
$(foreach a,$(ESP32_ARCHS),$(foreach c,$(ESP32_CHIPS_$(a)),$(eval $(call esp32_loader,$(c),$(a)))))

.PHONY: loader-esp32
loader: loader-esp32
loader-esp32: $(ESP32_MADE)
	@mkdir -p $(ESP32_PREBUILT)
	@for f in $(ESP32_MADE); do cmp -s $$f $(ESP32_PREBUILT)/$${f##*/} || \
	    { cp $$f $(ESP32_PREBUILT)/$${f##*/} && echo "  MADE $(ESP32_PREBUILT)/$${f##*/}"; }; done
