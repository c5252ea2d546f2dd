# molt: build, tests, demonstration. `make help` lists the targets.
#
# Each folder is compiled with include paths of its own, so that the layer table of docs/design.md is held by the
# compiler: a file that includes what its folder may not know does not build.

BUILD ?= build
MICROPY_DIR ?= $(BUILD)/micropython
# lwIP, in a folder called lwip_extmod
LWIP_DIR ?= $(BUILD)/lwip_extmod
# host, asan (address and undefined-behaviour sanitizers) or m32 (32-bit pointers)
VARIANT ?= host
PYTHON ?= python3
# V=1 shows the commands
ifeq ($(V),)
Q := @
endif

OUT := $(BUILD)/$(VARIANT)

.DEFAULT_GOAL := all

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
    -Wno-missing-field-initializers -Wundef -Wcast-align -Wpointer-arith -Wvla -Wswitch-enum -Wimplicit-fallthrough -Werror
VARIANT_host := -O2
VARIANT_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
VARIANT_m32 := -O2 -m32
# with the second MicroPython's littlefs, see tests/tests.mk
VARIANT_second := -O2
CFLAGS_VARIANT := -g $(VARIANT_$(VARIANT))
LDFLAGS_VARIANT := $(VARIANT_$(VARIANT))

# The core: freestanding, no header but the compiler's own.
CORE_FLAGS = -std=c11 -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) $(WARN)
HOST_FLAGS = -std=gnu11 -D_FILE_OFFSET_BITS=64 $(WARN)
# littlefs comes from the MicroPython source, configured as MicroPython does, but for LFS2_MULTIVERSION: a filesystem of an
# older version stays one.
LFS_DEFINES := -DLFS2_MULTIVERSION -DLFS2_NO_MALLOC -DLFS2_NO_DEBUG -DLFS2_NO_WARN -DLFS2_NO_ERROR -DLFS2_NO_ASSERT
LFS_FLAGS = $(LFS_DEFINES) -isystem $(MICROPY_DIR)

# Room by room: which rooms' headers it may include, beside its own and include/molt. (The layer table.) A room is compiled with an
# include path that has no others.
ROOMS := base map image decode upgrade delta resident standby slots frozen lfs job
ROOM_base :=
ROOM_map := base
ROOM_image := base map
ROOM_decode := base
ROOM_upgrade := base
ROOM_delta := base decode upgrade
ROOM_resident := base upgrade
ROOM_standby := base map upgrade
ROOM_slots := base map
ROOM_frozen := base
ROOM_lfs := base
ROOM_job := base image decode upgrade delta resident standby slots
ROOM_PATHS := $(BUILD)/rooms
$(shell for r in $(ROOMS); do mkdir -p $(ROOM_PATHS)/$$r; done; \
    $(foreach r,$(ROOMS),$(foreach s,$(r) $(ROOM_$(r)),ln -sfn $(CURDIR)/src/$(s) $(ROOM_PATHS)/$(r)/$(s);)))
$(foreach r,$(ROOMS),$(eval FLAGS_src/$(r) = $$(CORE_FLAGS) -Iinclude -I$(ROOM_PATHS)/$(r)))
FLAGS_src/lfs = -std=c11 $(WARN) -Iinclude -I$(ROOM_PATHS)/lfs $(LFS_FLAGS)
FLAGS_sim = $(HOST_FLAGS) -Iinclude -Isrc -Isim -Iports/esp8266 $(LFS_FLAGS)
FLAGS_ports/esp8266 = $(HOST_FLAGS) -Iinclude -Isrc -Iports/esp8266 -Iports/esp8266/prebuilt
FLAGS_ports/esp32 = $(HOST_FLAGS) -Iinclude -Isrc -Iports/esp32 -Iports/esp32/prebuilt
FLAGS_cmd/molt/text = $(HOST_FLAGS) -Iinclude -Isrc -Isim -Icmd/molt/text $(LFS_FLAGS)
FLAGS_cmd/molt/delta = $(HOST_FLAGS) -Iinclude -Isrc -Icmd/molt/delta $(if $(filter m32,$(VARIANT)),-Itests/lib/suffixes)
FLAGS_tests/lib/suffixes = $(HOST_FLAGS) -Itests/lib/suffixes
FLAGS_cmd/molt/dump = $(FLAGS_cmd/molt/text) -Icmd/molt/dump -Icmd/molt -Iports/esp8266 -Iports/esp32
FLAGS_cmd/molt/view = $(FLAGS_cmd/molt/dump) -Icmd/molt/view
FLAGS_cmd/molt/net = $(FLAGS_cmd/molt/dump) -Icmd/molt/delta -Icmd/molt/net
FLAGS_cmd/molt = $(FLAGS_cmd/molt/view) -Icmd/molt/delta -Icmd/molt/net
FLAGS_tests/unit = $(HOST_FLAGS) -Iinclude -Isrc -Isim -Itests -Icmd/molt/delta -Iinclude/molt -Isrc/lfs -Iports/esp8266 -Iports/esp32 -Iports/esp32/esp32 -Iports/esp32/xtensa -I$(BUILD)/gen $(LFS_FLAGS)
# As an integrator would compile them: the door alone.
FLAGS_examples = $(HOST_FLAGS) -Wno-missing-prototypes -Iinclude -Iinclude/molt -Isrc -Isrc/lfs -Iports/esp8266 $(LFS_FLAGS)
FLAGS_tests/cut = $(FLAGS_tests/unit) -Itests/cut
FLAGS_tests/e2e = $(FLAGS_tests/unit)
FLAGS_tests/fuzz = $(FLAGS_tests/unit)
FLAGS_bench = $(FLAGS_tests/unit) -Ibench

CORE_DIRS := $(addprefix src/,$(filter-out lfs,$(ROOMS)))
CORE_SRC := $(sort $(foreach d,$(CORE_DIRS),$(wildcard $(d)/*.c)))
LFS_SRC := $(sort $(wildcard src/lfs/*.c))
# Of a port the host compiles its description only.
TARGET_SRC := $(filter-out ports/template/% ports/idf/%,$(wildcard ports/*/molt_*.c))
SIM_SRC := $(sort $(wildcard sim/*.c)) $(TARGET_SRC)
TOOL_SRC := $(sort $(wildcard cmd/molt/*.c cmd/molt/*/*.c))

CORE_LIB := $(OUT)/libmolt.a
LFS_LIB := $(OUT)/libmoltlfs.a
SIM_LIB := $(OUT)/libmoltsim.a

objects = $(patsubst %.c,$(OUT)/%.o,$(1))

$(OUT)/%.o: %.c | deps
	@mkdir -p $(@D)
	@echo '  cc $<'
	$(Q)$(CC) $(CFLAGS_VARIANT) $(FLAGS_$(patsubst %/,%,$(dir $<))) -MMD -MP -c $< -o $@

$(OUT)/littlefs/%.o: $(MICROPY_DIR)/lib/littlefs/%.c | deps
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_VARIANT) -std=c11 -w $(LFS_DEFINES) -I$(MICROPY_DIR) -c $< -o $@

$(CORE_LIB): $(call objects,$(CORE_SRC))
$(LFS_LIB): $(call objects,$(LFS_SRC)) $(OUT)/littlefs/lfs2.o $(OUT)/littlefs/lfs2_util.o
$(SIM_LIB): $(call objects,$(SIM_SRC))
%.a:
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# What is built from is put in place by tools/deps, which is asked before anything else, and for no more than the goals need:
# the boot loader a compiler, the tool littlefs besides, the rest everything. MicroPythons that the user names are taken.
DEPS_GOALS := $(filter-out help clean fmt core dist,$(or $(MAKECMDGOALS),all))
DEPS_SET := $(if $(filter-out loader all $(BUILD)/molt,$(DEPS_GOALS)),all,$(if $(filter-out loader,$(DEPS_GOALS)),tool,loader))
DEPS_OK := $(or $(wildcard $(BUILD)/deps.ok),$(BUILD)/deps$(if $(filter-out all,$(DEPS_SET)),-$(DEPS_SET)).ok)
DEPS_WANTED := $(or $(patsubst $(BUILD)/deps-%.ok,%,$(filter $(BUILD)/deps-%.ok,$(DEPS_OK))),all)
deps_given = $(if $(filter file undefined,$(origin $(1))),,$($(1)))
DEPS_RUN = mkdir -p $(BUILD) && BUILD='$(BUILD)' MICROPY_DIR='$(call deps_given,MICROPY_DIR)' \
    MICROPY_DIR_2='$(call deps_given,MICROPY_DIR_2)' LWIP_DIR='$(call deps_given,LWIP_DIR)' tools/deps $(DEPS_WANTED) 1>&2 && touch $(DEPS_OK)
ifneq ($(DEPS_GOALS),)
ifeq ($(wildcard $(DEPS_OK)),)
$(info tools/deps $(DEPS_WANTED))
ifneq ($(shell $(DEPS_RUN) && echo ok),ok)
$(error tools/deps could not put everything in place, see above)
endif
endif
ifeq ($(filter loader,$(DEPS_SET))$(wildcard $(MICROPY_DIR)/py/mpconfig.h),)
$(error MICROPY_DIR=$(MICROPY_DIR) holds no MicroPython: there is no py/mpconfig.h)
endif
endif
.PHONY: deps
deps: $(if $(DEPS_GOALS),$(DEPS_OK))
$(DEPS_OK): tools/deps
	$(DEPS_RUN)
$(MICROPY_DIR)/lib/littlefs/%.c: | deps ;

include ports/esp8266/loader.mk
include ports/esp32/loader.mk
-include vboard/esp8266/vboard.mk vboard/esp32c3/esp32c3.mk micropython/firmwares.mk micropython/web/web.mk micropython/fleet/fleet.mk
include cmd/molt/molt.mk
include tests/tests.mk
include maskrom/maskrom.mk
-include bench/bench.mk
include tests/suites.mk

.PHONY: all
all: $(BUILD)/molt ## build the tool

.PHONY: core
core: $(CORE_LIB) ## compile the core alone: with $(CC), and nothing that has to be fetched

.PHONY: dist
dist: ## build/dist: the core as molt.h and molt.c, with what Arduino, PlatformIO and ESP-IDF want of a library
	@tools/amalgamate --package $(BUILD)/dist && echo "$(BUILD)/dist"

.PHONY: size
size: ## bytes of the boot loader, its plan and its stack; fails above the budget
	@tools/size $(BUILD)

.PHONY: tidy
tidy: ## clang-tidy on the core
	clang-tidy --quiet $(CORE_SRC) -- -std=c11 -ffreestanding -Iinclude -Isrc

.PHONY: fmt
fmt: ## clang-format on everything that is ours (of Debian 12: other versions have other minds)
	git ls-files '*.c' '*.h' | grep -v /prebuilt/ | xargs clang-format -i

.PHONY: compdb
compdb: ## compile_commands.json, by bear
	bear -- $(MAKE) -B $(BUILD)/molt

.PHONY: clean
clean: ## remove what was built; the downloaded sources stay
	rm -rf $(filter-out %/micropython %/micropython2 %/lwip_extmod %.ok,$(wildcard $(BUILD)/*))

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 16

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
