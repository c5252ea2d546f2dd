# 2 MB of flash and more, with a network: lwIP in VPORT_LWIP (a folder called lwip_extmod), the port's own network_wlan.c, sockets
# and WebREPL, over the radio in net/ and the boards' common network in ../vport-net.
include boards/ESP8266_GENERIC/mpconfigvariant.mk

include $(VPORT_DIR)-net/net.mk

CFLAGS += -DVPORT_NET=1
override SRC_C := $(filter-out sdk/noradio.c,$(SRC_C)) network_wlan.c net/wifi.c $(VNET_SRC)
# The linker scripts put folders of such a name into mapped flash, where the SDK has its own.
LIB_SRC_C += $(VNET_LWIP_SRC)

# The first of all folders: here lwipopts.h is somebody's.
INC += -I$(VPORT_DIR)/net/include $(VNET_INC)
$(BUILD)/network_wlan.o: CFLAGS += -include $(VPORT_DIR)/net/lwip14.h
