# What `make test` runs: every suite and its command, in the order in which they are begun. Two run at a time, so those that take
# minutes come first, and none of them is alone at the end. A suite is a program or script that prints TAP (ok / not ok lines);
# tests/run counts. No command has single quotes.

TEST_SUITES :=
TEST_FULL_SUITES :=
comma := ,
# Name, command.
suite = $(eval TEST_SUITES += $(1))$(eval SUITE_$(1) = $(2))
# For `make test-full` only.
full_suite = $(eval TEST_FULL_SUITES += $(1))$(eval SUITE_$(1) = $(2))
# A program of tests/unit; a fuzz target on its corpus; a test of the tool, as it is and with sanitizers.
unit_suites = $(call suite,unit-$(1),$(BUILD)/host/unit/$(1))$(call suite,asan-unit-$(1),$(BUILD)/asan/unit/$(1))
corpus_suite = $(call suite,$(1),$(BUILD)/$(2)/replay/$(3) tests/fuzz/corpus/$(3))
corpus_suites = $(call corpus_suite,corpus-$(1),host,$(1))$(call corpus_suite,asan-corpus-$(1),asan,$(1))$(call \
    corpus_suite,m32-corpus-$(1),m32,$(1))
tool_suite = $(call suite,tool-$(1),$(PYTHON) tests/tool/test_$(1).py $(BUILD)/molt)
asan_tool_suite = $(call suite,asan-tool-$(1),MOLT_FUZZ_ROUNDS=25 $(PYTHON) tests/tool/test_$(1).py $(BUILD)/asan/molt)

# Of a test on the virtual board; of one of frozen modules, its suite's name and the firmware.
E2E = BUILD=$(BUILD) LX106=$(LX106) $(PYTHON) tests/e2e
FROZEN = BUILD=$(BUILD) MICROPY_DIR=$(MICROPY_DIR) MICROPY_DIR_2=$(MICROPY_DIR_2) LX106=$(LX106) SUITE=$(1) FIRMWARE=$(2) $(PYTHON) tests/e2e

# Its suite's name but for -stock: on a firmware without molt.
STOCK = ENGINE=stock SUITE=$(1)-stock $(E2E)
# The same on the second MicroPython's.
STOCK_2 = STOCK=stock2-A ENGINE=stock SUITE=$(1)-stock-2 $(E2E)

# ---- minutes

$(call suite,e2e-cuts,$(E2E)/test_cuts.py)
$(call suite,e2e-resident,$(E2E)/test_resident.py)
$(call suite,e2e-states,$(E2E)/test_states.py)
$(call suite,store-mutants,tests/mutants/run $(BUILD) store)
$(call suite,cut,$(BUILD)/host/cut)
# Every n-th operation of small upgrades, with all tears. A page is eight operations and n is no multiple of that, so all
# parts of pages come up.
$(call suite,e2e-every-cut,$(E2E)/test_every_cut.py --sample 17011)
$(call suite,vport,BUILD=$(BUILD) MICROPY_DIR=$(MICROPY_DIR) LX106=$(LX106) $(PYTHON) tests/vport/test_vport.py)
$(call suite,e2e-frozen,$(call FROZEN,frozen,mpy-A)/test_frozen.py)
$(call suite,cut-store,$(BUILD)/host/cut-store)
$(call suite,cut-shipped,$(BUILD)/host/cut-shipped)
$(call suite,mutants,tests/mutants/run $(BUILD) upgrade)
$(call suite,e2e-upgrade,$(E2E)/test_upgrade.py)
$(call suite,e2e-delta,$(E2E)/test_delta.py)
$(call suite,e2e-python,$(E2E)/test_python.py)
$(call suite,e2e-esp32c3,$(E2E)/test_esp32c3.py)
$(call suite,e2e-slots,$(E2E)/test_slots.py)
# The rest of its tests is in make test-full.
$(call suite,e2e-frozen-c3,$(E2E)/test_frozen_c3.py a_module_is as_little native_code without_a each_unfit another_firmware mapped_elsewhere no_cut at_another)
$(call suite,e2e-stock,$(E2E)/test_stock.py)
$(call suite,e2e-stock-bytes,$(E2E)/test_stock_bytes.py)
$(call suite,e2e-stock-devices,$(E2E)/test_stock_devices.py)
# The tests of upgrades on the other engine, the package on a firmware without molt: all of them in make test-full.
$(call suite,asan-cut,$(BUILD)/asan/cut small 1)
$(call suite,vboard,VBOARD_BUILD=$(abspath $(VBOARD_OUT)) VBOARD_CROSS=$(VBOARD_CROSS) VBOARD_CC=$(VBOARD_CC) $(PYTHON) tests/vboard/test_vboard.py)
$(call suite,web-page,BUILD=$(BUILD) $(PYTHON) tests/web/test_page.py)
$(call suite,web-server,BUILD=$(BUILD) $(PYTHON) tests/web/test_server.py)
$(call suite,web-device,BUILD=$(BUILD) $(PYTHON) tests/web/test_device.py)
$(call suite,web-hostile,BUILD=$(BUILD) $(PYTHON) tests/web/test_hostile.py)
$(call suite,push,BUILD=$(BUILD) $(PYTHON) tests/fleet/test_push.py)
# The same on the ESP32-C3; what is left out here is in make test-full.
$(call suite,web-page-c3,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/web/test_page.py)
$(call suite,web-server-c3,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/web/test_server.py knows_its_chip nothing_is_kept)
$(call suite,web-device-c3,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/web/test_device.py without_javascript_it neither_deleted modules_are)
$(call suite,web-esp32,BUILD=$(BUILD) $(PYTHON) tests/web/test_esp32.py without_molt only_slot)
$(call suite,net-c3,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/net/test_net.py joins soft_reset webrepl)
$(call suite,fleet,BUILD=$(BUILD) $(PYTHON) tests/fleet/test_fleet.py)
$(call suite,net,BUILD=$(BUILD) $(PYTHON) tests/net/test_net.py)
$(call suite,pull,BUILD=$(BUILD) $(PYTHON) tests/pull/test_pull.py)
$(call suite,pull-parts,BUILD=$(BUILD) $(PYTHON) tests/pull/test_parts.py)
$(call suite,vboard-c3,VBOARD_BUILD=$(abspath $(VBOARD_OUT)) $(PYTHON) tests/vboard/c3/test_c3.py)
$(call suite,tool-board,VBOARD_BUILD=$(abspath $(VBOARD_OUT)) $(PYTHON) tests/tool/test_esp32_board.py $(BUILD)/molt)
$(call suite,vport-c3,BUILD=$(BUILD) $(PYTHON) tests/vport/test_c3.py)
$(call suite,tool-fuzz,MOLT_FUZZ_ROUNDS=60 $(PYTHON) tests/tool/test_fuzz.py $(BUILD)/molt)
$(call suite,e2e-refusals,$(E2E)/test_refusals.py)
$(call suite,m32-cut,$(BUILD)/m32/cut small 1)

# ---- the core

$(call suite,cut-calls,$(BUILD)/host/cut-calls)
$(call suite,asan-cut-calls,$(BUILD)/asan/cut-calls)
$(call suite,asan-cut-store,$(BUILD)/asan/cut-store small)
$(call suite,m32-cut-store,$(BUILD)/m32/cut-store small)
$(call suite,cut-store-a,$(BUILD)/host/cut-store a small)
$(foreach u,$(UNIT_NAMES),$(call unit_suites,$(u)))
$(foreach f,$(FUZZ_NAMES),$(call corpus_suites,$(f)))
$(call suite,map,tests/map/test_table.py $(BUILD)/molt)

# ---- what is there, and how it is built

$(call suite,layers,tests/layers/run $(BUILD)/host/libmolt.a)
$(call suite,vectors,tests/vectors/check)
$(call suite,runner,tests/runner/check)
$(call suite,dist,tests/dist/check $(BUILD) $(MICROPY_DIR) $(LX106))
$(call suite,loader-windowed,LX106=$(LX106) $(PYTHON) tests/tool/test_esp32_windowed.py $(BUILD)/molt)
$(call suite,loader-xtensa,$(PYTHON) tests/loader/test_xtensa.py $(BUILD) $(LX106))
$(call suite,recipe,$(PYTHON) tests/recipe/test_recipe.py $(BUILD) $(MICROPY_DIR) $(LX106) $(MICROPY_DIR_2))
$(call suite,docs,CC=$(CC) tests/docs/test_docs.py)
$(call suite,bench,bench/run $(BUILD) $(OUT) --begins)
$(call suite,size,tools/size $(BUILD) && echo "ok 1 - boot loaders$(comma) plan and stack are within their budgets")

# ---- on the virtual board. What MicroPython's own tests say of frozen modules is a sample here, another one with each version.

$(call suite,e2e-mpremote,MICROPY_DIR=$(MICROPY_DIR) $(E2E)/test_mpremote.py)
$(call suite,e2e-modes,$(E2E)/test_modes.py)
$(call suite,e2e-map,BUILD=$(BUILD) $(PYTHON) tests/e2e/test_map.py)
$(call suite,e2e-frozen-names,$(call FROZEN,frozen-names,mpy-A)/test_frozen_names.py)
$(call suite,e2e-frozen-same,FROZEN_STEP=24 $(call FROZEN,frozen-same,mpy-A)/test_frozen_same.py)

# ---- the tool

$(call suite,tool-frozen,$(PYTHON) tests/tool/test_frozen.py $(BUILD)/molt $(BUILD)/mpy-A/firmware.bin)
$(call suite,map-tool,tests/map/test_map_tool.py $(BUILD)/molt)
$(call suite,map-esp32,tests/map/test_map_esp32.py $(BUILD)/molt)
$(call asan_tool_suite,fuzz)
$(call tool_suite,power)
$(foreach t,upgrade delta files place images doctor resident refusals info esp32 slots,$(call tool_suite,$(t)))
# With sanitizers the rest is in make test-full.
$(foreach t,files doctor info esp32 slots,$(call asan_tool_suite,$(t)))

# ---- the mask ROM: without a dump of it the first says that it is skipped

$(call suite,maskrom,MASKROM=$(MASKROM) CUTS=$(CUTS) MASKROM_BOARD=$(MASKROM_BOARD) $(PYTHON) tests/maskrom/test_maskrom.py $(BUILD)/molt)
$(call suite,maskrom-board,MASKROM_BOARD=$(MASKROM_BOARD) LX106=$(LX106) CC=$(CC) $(PYTHON) tests/maskrom/test_board.py $(BUILD)/molt)

# ---- make test-full: larger samples of the same

$(call full_suite,e2e-delta-full,SUITE=delta-full $(E2E)/test_delta.py --all power)
$(call full_suite,asan-cut-full,$(BUILD)/asan/cut small 2)
$(call full_suite,asan-cut-delta-full,$(BUILD)/asan/cut small.delta 1)
$(call full_suite,m32-cut-full,$(BUILD)/m32/cut small 2)
$(call full_suite,tool-board-full,CUT_STEP=3 VBOARD_BUILD=$(abspath $(VBOARD_OUT)) $(PYTHON) tests/tool/test_esp32_board.py $(BUILD)/molt cuts)
$(call full_suite,tool-fuzz-full,$(PYTHON) tests/tool/test_fuzz.py $(BUILD)/molt)

$(call full_suite,e2e-resident-stock,$(call STOCK,resident)/test_resident.py install_and twice pending_can)
$(call full_suite,tool-second,$(PYTHON) tests/tool/second.py $(SECOND_TOOL))
$(call full_suite,e2e-frozen-2,$(call FROZEN,frozen-2,mpy2-A)/test_frozen.py)
$(foreach t,power upgrade delta place images resident refusals,$(call full_suite,asan-tool-$(t),MOLT_FUZZ_ROUNDS=40 $(PYTHON) tests/tool/test_$(t).py $(BUILD)/asan/molt))
$(call full_suite,e2e-frozen-names-2,$(call FROZEN,frozen-names-2,mpy2-A)/test_frozen_names.py)
$(call full_suite,e2e-frozen-same-2,FROZEN_STEP=20 FROZEN_FIRST=5 $(call FROZEN,frozen-same-2,mpy2-A)/test_frozen_same.py)
$(call full_suite,cut-full,$(BUILD)/host/cut full)
$(call full_suite,cut-three,$(BUILD)/host/cut small 3 /9)
$(call full_suite,e2e-every-cut-full,$(E2E)/test_every_cut.py --sample 31)
$(call full_suite,e2e-cuts-full,$(E2E)/test_cuts.py --all 1/45)
$(call full_suite,e2e-esp32c3-full,SUITE=esp32c3-full $(E2E)/test_esp32c3.py --all cut nor_one)
$(call full_suite,e2e-slots-full,SUITE=slots-full $(E2E)/test_slots.py --all cut nor_one)
$(call full_suite,dist-full,tests/dist/check $(BUILD) $(MICROPY_DIR) $(LX106) --all)
$(call full_suite,e2e-frozen-c3-full,SUITE=frozen-c3-full $(E2E)/test_frozen_c3.py --all)
$(call full_suite,e2e-frozen-same-c3,FROZEN_STEP=1 $(call FROZEN,frozen-same-c3,c3-A)/test_frozen_same.py)
$(call full_suite,e2e-stock-full,SUITE=stock-full $(E2E)/test_stock.py --all)
$(call full_suite,e2e-stock-bytes-full,SUITE=stock-bytes-full $(E2E)/test_stock_bytes.py --all)
$(call full_suite,e2e-stock-devices-full,SUITE=stock-devices-full $(E2E)/test_stock_devices.py --all)
$(foreach t,upgrade refusals python resident states,$(call full_suite,e2e-$(t)-stock-full,$(call STOCK,$(t)-full)/test_$(t).py))
# From the second MicroPython the essential ones: raw, gzip, back, refusals, resident mode.
$(call full_suite,e2e-upgrade-stock-2,$(call STOCK_2,upgrade)/test_upgrade.py)
$(call full_suite,e2e-refusals-stock-2,$(call STOCK_2,refusals)/test_refusals.py)
$(call full_suite,e2e-resident-stock-2,$(call STOCK_2,resident)/test_resident.py install_ damaged_overlay trial_confirmed pending_can changed_file gzip_ cuts_in)
$(call full_suite,ceiling,BUILD=$(BUILD) $(PYTHON) tests/net/test_ceiling.py)
$(call full_suite,stock-server,BUILD=$(BUILD) $(PYTHON) tests/net/test_stock_server.py)
$(call full_suite,e2e-frozen-same-all,FROZEN_STEP=1 $(call FROZEN,frozen-same-all,mpy-A)/test_frozen_same.py)
$(call full_suite,e2e-frozen-same-all-2,FROZEN_STEP=1 $(call FROZEN,frozen-same-all-2,mpy2-A)/test_frozen_same.py)
$(call full_suite,web-page-full,BUILD=$(BUILD) $(PYTHON) tests/web/test_page.py --full)
$(call full_suite,pull-full,BUILD=$(BUILD) $(PYTHON) tests/pull/test_pull.py --full)
$(call full_suite,web-server-full,BUILD=$(BUILD) $(PYTHON) tests/web/test_server.py --full)
$(call full_suite,web-device-full,BUILD=$(BUILD) $(PYTHON) tests/web/test_device.py --full)
$(call full_suite,web-hostile-full,BUILD=$(BUILD) $(PYTHON) tests/web/test_hostile.py --full)
$(call full_suite,net-c3-full,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/net/test_net.py joins without client asyncio lost docs)
$(call full_suite,pull-c3-full,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/pull/test_pull.py what_the_manifest)
$(call full_suite,web-server-c3-full,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/web/test_server.py --full)
$(call full_suite,web-device-c3-full,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/web/test_device.py --full)
$(call full_suite,web-esp32-full,BUILD=$(BUILD) $(PYTHON) tests/web/test_esp32.py)
$(call full_suite,web-hostile-c3-full,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/web/test_hostile.py --full)
$(call full_suite,push-c3-full,BOARD=esp32c3 BUILD=$(BUILD) $(PYTHON) tests/fleet/test_push.py --full)
$(call full_suite,push-full,BUILD=$(BUILD) $(PYTHON) tests/fleet/test_push.py --full)
$(call full_suite,fleet-full,BUILD=$(BUILD) $(PYTHON) tests/fleet/test_fleet.py --full)
$(call full_suite,cut-store-full,$(BUILD)/host/cut-store full)
$(call full_suite,cut-store-a-full,$(BUILD)/host/cut-store a full)
