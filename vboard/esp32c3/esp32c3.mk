# The virtual ESP32-C3, a program of the host's. Included by the top-level Makefile; `make vboard` builds it.
C3_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
C3_OUT := $(VBOARD_OUT)/c3
C3_FLASH := $(C3_DIR)/../flash
C3_FLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g $(VBOARD_WARNINGS) -I$(C3_FLASH)
C3_OBJ := $(patsubst $(C3_DIR)/%.c,$(C3_OUT)/%.o,$(wildcard $(C3_DIR)/*.c)) $(patsubst $(C3_FLASH)/%.c,$(C3_OUT)/%.o,$(wildcard $(C3_FLASH)/*.c))

vboard: $(VBOARD_OUT)/esp32c3

$(VBOARD_OUT)/esp32c3: $(C3_OBJ)
	$(Q)$(VBOARD_CC) -o $@ $(C3_OBJ) -lunicorn -lnettle -lz

$(C3_OUT)/%.o: $(C3_DIR)/%.c
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CC) $(C3_FLAGS) -MMD -MP -c -o $@ $<

$(C3_OUT)/%.o: $(C3_FLASH)/%.c
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CC) $(C3_FLAGS) -MMD -MP -c -o $@ $<

-include $(C3_OBJ:.o=.d)
