# molt_web, the page for uploads: what a device needs of it, and a virtual board that has it.

WEB_OUT := $(BUILD)/web
WEB_MODULES := $(addprefix $(WEB_OUT)/,molt_intake.mpy molt_http.mpy molt_clients.mpy molt_plain.mpy molt_web.mpy)
WEB_FILES := $(WEB_MODULES) $(WEB_OUT)/molt_web.html.gz $(WEB_OUT)/package.json

.PHONY: web demo-web
web: $(WEB_FILES) ## molt_web for a device: the modules, and the page
	@ls -l $(WEB_FILES)

$(WEB_OUT)/%.mpy: micropython/web/%.py $(BUILD)/mpy-cross/mpy-cross
	@mkdir -p $(@D)
	$(Q)$(BUILD)/mpy-cross/mpy-cross -s $(<F) -o $@ $<

# Without the time of day, so that the same page is the same file.
$(WEB_OUT)/molt_web.html.gz: micropython/web/molt_web.html
	@mkdir -p $(@D)
	$(Q)gzip -9nc $< >$@

# For mpremote mip install: a package of these files.
mip_comma := ,
mip_space := $(subst ,, )
mip_package = {"urls": [$(subst $(mip_space),$(mip_comma) ,$(foreach f,$(1),["$(f)"$(mip_comma)"$(f)"]))], "version": "1"}
$(WEB_OUT)/package.json: micropython/web/web.mk
	@mkdir -p $(@D)
	$(Q)echo '$(call mip_package,$(notdir $(WEB_MODULES)) molt_web.html.gz)' >$@

demo-web: vboard $(BUILD)/molt $(WEB_FILES) $(NET_FIRMWARES) ## a virtual board with the page, in your browser; Ctrl-C switches it off
	@$(PYTHON) tools/demo-web $(BUILD)
