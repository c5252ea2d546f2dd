# molt_web, the page for uploads: what a device needs of it, and a virtual board that has it.

WEB_OUT := $(BUILD)/web
WEB_MODULES := $(addprefix $(WEB_OUT)/,molt_intake.mpy molt_http.mpy molt_plain.mpy molt_web.mpy)
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

# For mpremote mip install.
$(WEB_OUT)/package.json: micropython/web/web.mk
	@mkdir -p $(@D)
	$(Q)printf '{"urls": [%s], "version": "1"}\n' '$(subst $(web_space),$(web_comma) ,$(foreach f,$(notdir $(WEB_MODULES)) molt_web.html.gz,["$(f)"$(web_comma)"$(f)"]))' >$@
web_comma := ,
web_space := $(subst ,, )

demo-web: vboard $(BUILD)/molt $(WEB_FILES) $(NET_FIRMWARES) ## a virtual board with the page, in your browser; Ctrl-C switches it off
	@$(PYTHON) tools/demo-web $(BUILD)
