# molt_pull and molt_mqtt, for devices that ask: what a device needs of them.

PULL_OUT := $(BUILD)/pull
PULL_MODULES := $(addprefix $(PULL_OUT)/,molt_intake.mpy molt_fetch.mpy molt_pull.mpy molt_mqtt.mpy)
PULL_FILES := $(PULL_MODULES) $(PULL_OUT)/package.json

.PHONY: pull
pull: $(PULL_FILES) ## molt_pull and molt_mqtt for a device: the modules
	@ls -l $(PULL_FILES)

$(PULL_OUT)/%.mpy: micropython/fleet/%.py $(BUILD)/mpy-cross/mpy-cross
	@mkdir -p $(@D)
	$(Q)$(BUILD)/mpy-cross/mpy-cross -s $(<F) -o $@ $<

$(PULL_OUT)/molt_intake.mpy: $(WEB_OUT)/molt_intake.mpy
	@mkdir -p $(@D)
	$(Q)cp $< $@

# For mpremote mip install.
$(PULL_OUT)/package.json: micropython/fleet/fleet.mk
	@mkdir -p $(@D)
	$(Q)printf '{"urls": [%s], "version": "1"}\n' '$(subst $(web_space),$(web_comma) ,$(foreach f,$(notdir $(PULL_MODULES)),["$(f)"$(web_comma)"$(f)"]))' >$@
